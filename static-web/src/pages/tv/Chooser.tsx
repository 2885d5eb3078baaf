import { Link, useNavigate } from 'react-router'
import { primaryButton } from '../../components/buttons'
import { useKept } from '../../components/form/useKept'
import { ErrorNotice, Notice, quietButton } from '../../components/Notice'
import { Skeleton } from '../../components/Skeleton'
import { inputClass, Select } from '../../components/ui'
import { usual } from '../../lib/range'
import { useIdentity } from '../../lib/session'
import type { Range } from '../../api/types'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'
import { useDashboards } from '../dashboards/queries'

const text = boards.tvMode
const paces = [15, 30, 60, 120]

interface Choice {
  /** Null: all of them. */
  picked: readonly string[] | null
  every: number
  range: Range
}

/** Which dashboards, and how long each stays. */
export function Chooser() {
  const { tenant } = useIdentity()
  const list = useDashboards(tenant.id)
  const navigate = useNavigate()
  const [{ picked, every, range }, put] = useKept<Choice>(
    'tv',
    { picked: null, every: 30, range: 'last_28_days' },
    { asks: false },
  )
  const all = list.data?.dashboards ?? []
  // A dashboard may be gone since it was picked.
  const chosen = all.map((one) => one.id).filter((id) => picked?.includes(id) ?? true)

  return (
    <main id="main" className="mx-auto min-h-dvh max-w-[34rem] px-6 pt-12 pb-12">
      <h1 className="text-big font-semibold tracking-[-0.01em]">{text.title}</h1>
      <p className="mt-1 text-muted">{text.lead}</p>
      {list.data ? (
        all.length === 0 ? (
          <Notice
            title={text.none}
            action={
              <Link to="/dashboards" className={quietButton}>
                {text.toList}
              </Link>
            }
          />
        ) : (
          <form
            onSubmit={(event) => {
              event.preventDefault()
              if (chosen.length === 0) return
              // Only what a person did may ask for the full screen.
              document.documentElement.requestFullscreen?.().catch(() => undefined)
              void navigate(`/tv?boards=${chosen.join(',')}&every=${every}&range=${range}`)
            }}
          >
            <fieldset className="mt-6">
              <legend className="text-small text-muted">{text.which}</legend>
              {all.map((one) => (
                <label
                  key={one.id}
                  className="tap flex items-center gap-3 border-b border-line py-2"
                >
                  <input
                    type="checkbox"
                    className="size-5 accent-accent"
                    checked={chosen.includes(one.id)}
                    onChange={(event) => {
                      put({
                        picked: all
                          .map((other) => other.id)
                          .filter((id) =>
                            id === one.id ? event.target.checked : chosen.includes(id),
                          ),
                        every,
                        range,
                      })
                    }}
                  />
                  <span className="min-w-0 [overflow-wrap:anywhere]">{one.name}</span>
                </label>
              ))}
            </fieldset>
            <div className="mt-5 flex flex-wrap gap-4">
              <label className="grid gap-1 text-small text-muted">
                {text.every}
                <Select
                  value={every}
                  className={`${inputClass} border-line-strong text-ink`}
                  onChange={(event) => {
                    put({ picked, every: Number(event.target.value), range })
                  }}
                >
                  {paces.map((pace) => (
                    <option key={pace} value={pace}>
                      {text.seconds(pace)}
                    </option>
                  ))}
                </Select>
              </label>
              <label className="grid gap-1 text-small text-muted">
                {messages.rangeLabel}
                <Select
                  value={range}
                  className={`${inputClass} border-line-strong text-ink`}
                  onChange={(event) => {
                    put({ picked, every, range: event.target.value as Range })
                  }}
                >
                  {usual.map((one) => (
                    <option key={one} value={one}>
                      {messages.ranges[one].label}
                    </option>
                  ))}
                </Select>
              </label>
            </div>
            <div className="mt-6 flex flex-wrap gap-3">
              <button type="submit" className={primaryButton} disabled={chosen.length === 0}>
                {text.start}
              </button>
              <Link to="/dashboards" className={quietButton}>
                {boards.all}
              </Link>
            </div>
            <p className="mt-4 text-small text-muted">
              {chosen.length === 0 ? text.chooseOne : text.keys}
            </p>
          </form>
        )
      ) : list.isError ? (
        <ErrorNotice error={list.error} retry={() => void list.refetch()} />
      ) : (
        <Skeleton className="mt-6 h-40 w-full" />
      )}
    </main>
  )
}

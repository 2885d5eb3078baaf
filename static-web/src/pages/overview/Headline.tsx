import { useQueryClient } from '@tanstack/react-query'
import { ArrowUp } from 'lucide-react'
import { useId, useState } from 'react'
import { api } from '../../api/client'
import type { Summary, SummaryKpi } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { Dialog } from '../../components/Dialog'
import { useKept } from '../../components/form/useKept'
import { Failed, inputClass, Select } from '../../components/ui'
import { useMay } from '../../lib/may'
import { later } from '../../messages-later'

const text = later.headline
type Settings = Record<string, unknown> & { headline?: readonly string[] | null }

/** Which numbers stand on top, and in what order: a business decides that for everybody in it. */
export function Headline({ summary, top }: { summary: Summary; top: readonly SummaryKpi[] }) {
  const may = useMay('manage_settings')
  const [open, setOpen] = useState(false)
  if (!may) return null
  return (
    <>
      <button
        type="button"
        className="tap text-small text-accent hover:underline print:hidden"
        onClick={() => {
          setOpen(true)
        }}
      >
        {text.choose}
      </button>
      <Dialog
        title={text.title}
        open={open}
        onClose={() => {
          setOpen(false)
        }}
      >
        {open && (
          <Places
            kpis={summary.kpis}
            first={top.map((kpi) => kpi.key)}
            onDone={() => {
              setOpen(false)
            }}
          />
        )}
      </Dialog>
    </>
  )
}

function Places({
  kpis,
  first,
  onDone,
}: {
  kpis: readonly SummaryKpi[]
  first: readonly string[]
  onDone: () => void
}) {
  const client = useQueryClient()
  const id = useId()
  const [kept, setKeys, done] = useKept('headline', first)
  // A number may be gone since it was chosen.
  const known = kept.every((key) => kpis.some((kpi) => kpi.key === key))
  const keys = known ? kept : first
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  // Chosen in another place it changes places: each number stands once.
  const put = (at: number, key: string) => {
    setKeys(keys.map((one, i) => (i === at ? key : one === key ? (keys[at] ?? one) : one)))
  }
  const save = async (headline: readonly string[]) => {
    setBusy(true)
    setFailed(null)
    try {
      const settings = await api.get<Settings>('tenant')
      await api.put('tenant', { ...settings, headline })
      done()
      await client.invalidateQueries()
      onDone()
    } catch (error) {
      setFailed(error)
      setBusy(false)
    }
  }
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        void save(keys)
      }}
    >
      <p className="text-small text-muted">{text.lead}</p>
      <ol className="mt-3 space-y-2">
        {keys.map((key, at) => (
          <li key={at} className="flex items-center gap-3">
            <label htmlFor={`${id}${String(at)}`} className="num w-4 shrink-0 text-muted">
              {at + 1}
              <span className="sr-only">{text.place}</span>
            </label>
            <div className="min-w-0 flex-1">
              <Select
                className={`${inputClass} border-line-strong`}
                id={`${id}${String(at)}`}
                value={key}
                disabled={busy}
                onChange={(event) => {
                  put(at, event.target.value)
                }}
              >
                {kpis.map((kpi) => (
                  <option key={kpi.key} value={kpi.key}>
                    {kpi.name}
                  </option>
                ))}
              </Select>
            </div>
            <button
              type="button"
              disabled={busy || at === 0}
              aria-label={text.up(kpis.find((kpi) => kpi.key === key)?.name ?? key)}
              className={`tap grid place-items-center rounded text-muted hover:text-ink ${at === 0 ? 'invisible' : ''}`}
              onClick={() => {
                put(at - 1, key)
              }}
            >
              <ArrowUp aria-hidden="true" size={16} />
            </button>
          </li>
        ))}
      </ol>
      <Failed error={failed} />
      <div className="mt-4 flex flex-wrap items-center gap-x-4">
        <button type="submit" disabled={busy} className={primaryButton}>
          {busy ? text.saving : text.save}
        </button>
        <button
          type="button"
          disabled={busy}
          className="tap text-small text-accent hover:underline"
          onClick={() => void save([])}
        >
          {text.usual}
        </button>
      </div>
    </form>
  )
}

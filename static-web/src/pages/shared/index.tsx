import { useEffect } from 'react'
import { useLocation } from 'react-router'
import { ApiError } from '../../api/client'
import { Frame } from '../../components/account/Frame'
import type { SharedDashboard } from '../../api/types'
import { Board } from '../../components/board/Board'
import { linkNumbers } from '../../components/board/linkNumbers'
import { ErrorNotice, Notice } from '../../components/Notice'
import { PeriodBar } from '../../components/PeriodBar'
import { PrintNote } from '../../components/print/PrintNote'
import { savePdf } from '../../lib/paper'
import { SavedAt } from '../../components/SavedAt'
import { Skeleton } from '../../components/Skeleton'
import { dayIn } from '../../lib/dates'
import { fullDay } from '../../lib/dayNames'
import { freshWords } from '../../lib/freshWords'
import { usePeriod } from '../../lib/range'
import { secretsOf } from '../../lib/shared'
import { joined } from '../../lib/sources'
import { useServiceWorker } from '../../lib/worker'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'
import { useShared } from './queries'

/** What the link was narrowed to; nothing where it shows all. */
const ofWords = (data: Partial<SharedDashboard>) =>
  data.numbersOf ? boards.view.numbersOf(joined(data.numbersOf)) : null

/** One dashboard through a link, without a sign-in: its numbers and nothing else. */
export default function Shared() {
  const { hash } = useLocation()
  const secret = secretsOf(hash)[0] ?? null
  const period = usePeriod()
  const { preset: range, compare } = period
  const shared = useShared(secret, range, compare)
  useServiceWorker()
  const data = shared.data

  useEffect(() => {
    document.title = data ? boards.view.title(data.name, data.business) : messages.productShort
  }, [data])

  const gone = shared.error instanceof ApiError && shared.error.status === 404
  if (secret === null || gone)
    return (
      <Frame
        title={boards.view.goneTitle}
        lead={secret === null ? boards.view.incomplete : shared.error?.message}
      />
    )
  const zone = data?.summary.timeZone ?? 'UTC'
  const today = dayIn(zone, new Date())
  return (
    <main id="main" className="mx-auto max-w-[90rem] px-4 pb-16 sm:px-8">
      <div className="flex flex-col gap-2 pt-5 lg:flex-row lg:items-start lg:justify-between lg:gap-12 lg:pt-8">
        <div className="min-w-0 flex-1">
          <p className="text-small text-muted">{data?.business ?? '\u00a0'}</p>
          <h1 className="text-big font-semibold tracking-[-0.01em] [overflow-wrap:anywhere]">
            {data?.name ?? <Skeleton className="h-7 w-48" />}
          </h1>
          {data && (
            <p className="num mt-0.5 text-small text-muted">
              {[ofWords(data), freshWords(data.summary)].filter(Boolean).join(' · ')}
            </p>
          )}
        </div>
        <PeriodBar
          period={{ ...period, range, span: { range } }}
          days={data?.summary}
          today={today}
        />
      </div>
      {data ? (
        <>
          {data.tiles.length === 0 ? (
            <Notice title={boards.empty} />
          ) : (
            <Board tiles={data.tiles} numbers={linkNumbers(data)} />
          )}
          <p className="mt-8 flex flex-wrap items-center gap-x-4 text-small text-muted print:hidden">
            <span>{boards.view.note(fullDay(dayIn(zone, new Date(data.expiresAt))))}</span>
            <button
              type="button"
              className="tap text-accent"
              onClick={() => {
                savePdf()
              }}
            >
              {boards.print}
            </button>
            <a href={`/tv${hash}`} className="tap inline-flex items-center text-accent">
              {boards.tv}
            </a>
          </p>
          <PrintNote business={data.business} summary={data.summary} />
        </>
      ) : shared.isError ? (
        <ErrorNotice error={shared.error} retry={() => void shared.refetch()} />
      ) : (
        <div aria-busy="true" className="mt-6 grid grid-cols-2 gap-6 lg:grid-cols-4">
          <span className="sr-only">{messages.loading}</span>
          {Array.from({ length: 8 }, (_, i) => (
            <Skeleton key={i} className="h-28 w-full" />
          ))}
        </div>
      )}
      <SavedAt query={shared} timeZone={zone} />
    </main>
  )
}

import type { Range, Summary, SummaryKpi } from '../../api/types'
import { ChangeText } from '../../components/ChangeText'
import { Skeleton } from '../../components/Skeleton'
import { Sparkline } from '../../components/Sparkline'
import { Value } from '../../components/Value'
import { describeChange } from '../../lib/change'
import { beforeWords, shownUnit } from '../../lib/kpis'
import { messages } from '../../messages'

interface Props {
  summary: Summary
  kpis: readonly SummaryKpi[]
  selected: string | null
  onPick: (key: string) => void
  shown: Range
}

const grid =
  'mt-3 grid grid-cols-2 gap-x-6 sm:grid-cols-3 sm:gap-x-8 lg:mt-6 xl:grid-cols-6 xl:gap-x-0'

/** The headline numbers. Each is a button that brings its chart. */
export function Strip({ summary, kpis, selected, onPick, shown }: Props) {
  return (
    <ul aria-label={messages.overview.strip} className={grid}>
      {kpis.map((kpi) => {
        const change = describeChange(kpi, beforeWords(shown, summary.compare), summary.compare)
        const on = kpi.key === selected
        return (
          <li
            key={kpi.key}
            className="min-w-0 xl:border-l xl:border-line xl:first:border-l-0 xl:[&:first-child>button]:pl-0"
          >
            <button
              type="button"
              aria-pressed={on}
              onClick={() => {
                onPick(kpi.key)
              }}
              className={`tip-host group relative block w-full border-t py-2 text-left xl:border-t-0 xl:px-4 xl:py-1 ${on ? 'border-accent' : 'border-line'} `}
            >
              <span className="flex items-center gap-1.5 text-small text-muted group-hover:text-ink">
                <span className="truncate">{kpi.name}</span>
                {on && (
                  <span aria-hidden="true" className="size-1.5 shrink-0 rounded-full bg-accent" />
                )}
              </span>
              <span className="flex flex-wrap items-baseline gap-x-2.5 xl:block">
                <span className="text-lead font-semibold tracking-[-0.01em] sm:text-big xl:block">
                  <Value
                    value={kpi.value}
                    unit={shownUnit(kpi)}
                    currency={kpi.currency ?? summary.currency}
                    status={kpi.status}
                    reason={kpi.statusReason}
                  />
                </span>
                <span className="text-small xl:block">
                  {change ? <ChangeText change={change} /> : '\u00a0'}
                </span>
              </span>
              {summary.dates.length > 1 ? (
                <Sparkline
                  values={kpi.sparkline}
                  status={kpi.dayStatus}
                  comparison={kpi.comparison}
                  className="mt-1 xl:mt-3 xl:h-9"
                />
              ) : (
                <Bullet value={kpi.value} previous={kpi.previous} />
              )}
            </button>
          </li>
        )
      })}
    </ul>
  )
}

/** One day has no shape. Its bar, and a mark where the day compared with was. */
function Bullet({ value, previous }: { value: number | null; previous: number | null }) {
  const most = Math.max(value ?? 0, previous ?? 0)
  const share = (n: number) => (most > 0 ? (Math.max(0, n) / most) * 98 : 0)
  return (
    <svg
      aria-hidden="true"
      viewBox="0 0 100 28"
      preserveAspectRatio="none"
      className="mt-1 block h-7 w-full xl:mt-3 xl:h-9"
    >
      <rect y="12" width="100" height="4" className="fill-sunken" />
      {value !== null && <rect y="12" width={share(value)} height="4" className="fill-accent" />}
      {previous !== null && (
        <path
          d={`M${share(previous)} 6v16`}
          className="stroke-line-strong"
          strokeWidth="2"
          vectorEffect="non-scaling-stroke"
        />
      )}
    </svg>
  )
}

export function StripSkeleton() {
  return (
    <div className={grid}>
      {Array.from({ length: 6 }, (_, i) => (
        <div
          key={i}
          className="border-t border-line py-2 xl:border-t-0 xl:px-4 xl:py-1 xl:first:pl-0"
        >
          <Skeleton className="my-0.5 h-4 w-20" />
          <Skeleton className="my-1 h-[1.1rem] w-24 sm:h-6" />
          <Skeleton className="my-0.5 hidden h-4 w-14 xl:block" />
          <Skeleton className="mt-1 h-7 w-full xl:mt-3 xl:h-9" />
        </div>
      ))}
    </div>
  )
}

export function DetailsSkeleton() {
  return (
    <div className="mt-6 grid gap-x-12 gap-y-10 xl:grid-cols-[minmax(0,1fr)_18rem]">
      <div>
        <div className="rounded bg-surface p-4 shadow-surface sm:p-6">
          <Skeleton className="h-6 w-32" />
          <Skeleton className="mt-3 h-9 w-40" />
          <Skeleton className="mt-8 h-52 w-full sm:h-72" />
          <Skeleton className="mt-4 h-5 w-48" />
        </div>
        <Skeleton className="mt-10 h-6 w-40" />
        {Array.from({ length: 8 }, (_, i) => (
          <Skeleton key={i} className="mt-4 h-7 w-full" />
        ))}
      </div>
      <div className="grid content-start gap-10">
        <Skeleton className="h-40 w-full" />
        <Skeleton className="h-48 w-full" />
      </div>
    </div>
  )
}

import { Link } from 'react-router'
import type { Summary, SummaryGoal, SummaryKpi } from '../../api/types'
import { ChangeText } from '../../components/ChangeText'
import { Skeleton } from '../../components/Skeleton'
import { Sparkline } from '../../components/Sparkline'
import { Value } from '../../components/Value'
import { daysAlongside } from '../../lib/alongside'
import { describeChange } from '../../lib/change'
import { formatPace } from '../../lib/format'
import { beforeWords, shownUnit } from '../../lib/kpis'
import { messages } from '../../messages'

interface Props {
  summary: Summary
  kpis: readonly SummaryKpi[]
  search: string
}

const grid =
  'mt-3 grid grid-cols-2 gap-x-6 sm:grid-cols-3 sm:gap-x-8 lg:mt-6 xl:grid-cols-6 xl:gap-x-0'

/** The headline numbers. Each leads to all about it. */
export function Strip({ summary, kpis, search }: Props) {
  return (
    <ul aria-label={messages.overview.strip} className={grid}>
      {kpis.map((kpi) => {
        const change = describeChange(kpi, beforeWords(summary), summary.compare)
        return (
          <li
            key={kpi.key}
            className="min-w-0 xl:border-l xl:border-line xl:first:border-l-0 xl:[&:first-child>a]:pl-0"
          >
            <Link
              to={{ pathname: `/metrics/${kpi.key}`, search }}
              className="tip-host group relative block border-t border-line py-2 xl:border-t-0 xl:px-4 xl:py-1"
            >
              <span className="block text-small wrap-anywhere text-muted group-hover:text-ink">
                {kpi.name}
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
                  comparison={daysAlongside(summary, kpi.comparison).values}
                  className="mt-1 xl:mt-3 xl:h-9"
                />
              ) : (
                <Bullet value={kpi.value} previous={kpi.previous} />
              )}
              {kpi.goal && <GoalWords goal={kpi.goal} unit={kpi.unit} />}
            </Link>
          </li>
        )
      })}
    </ul>
  )
}

const goalTones: Partial<Record<SummaryGoal['state'], string>> = {
  on_track: 'text-good',
  met: 'text-good',
  off_track: 'text-attention',
  missed: 'text-attention',
}

/** How the goal stands, short; the whole sentence on hover, on focus and read out. */
function GoalWords({ goal, unit }: { goal: SummaryGoal; unit: SummaryKpi['unit'] }) {
  return (
    <span className={`num relative mt-1 block text-small ${goalTones[goal.state] ?? 'text-muted'}`}>
      <span aria-hidden="true">
        {messages.goal[goal.state]}
        {/* A share of a share reads like one of them. */}
        {goal.pace !== null && unit !== 'ratio' && ` · ${formatPace(goal.pace)}`}
      </span>
      <span className="sr-only">{goal.text}</span>
      <span aria-hidden="true" className="tip">
        {goal.text}
      </span>
    </span>
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

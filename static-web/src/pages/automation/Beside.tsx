import { useMemo } from 'react'
import type { Annotation, AutomationPerformance, DayStatus } from '../../api/types'
import { Chart, type ChartSeries } from '../../components/chart/Chart'
import { NoteList } from '../../components/chart/NoteList'
import { notesOf } from '../../components/chart/notes'
import { useNotes } from '../../components/chart/useNotes'
import { Skeleton } from '../../components/Skeleton'
import { correlation, leastDays, togetherOf } from '../../lib/correlation'
import { formatNumber } from '../../lib/format'
import { later } from '../../messages-later'
import { useRevenue } from './queries'

const text = later.automation.beside
const none: readonly Annotation[] = []
const noPoints: NonNullable<ReturnType<typeof useRevenue>['data']>['points'] = []
const revenue = 'shop.revenue'

/**
 * Revenue over what the automations saved: two charts over the same days, with what went wrong marked on both. Whether the
 * two move together is said as the correlation that it is. Nothing for a business without a shop.
 */
export function Beside({ data, tenantId }: { data: AutomationPerformance; tenantId: string }) {
  const history = useRevenue(tenantId, data.from, data.to)
  const { data: annotations = none } = useNotes(tenantId, data.from, data.to)
  const notes = useMemo(
    () => notesOf(annotations, (kpi) => kpi.startsWith('automation.') || kpi === revenue),
    [annotations],
  )
  const points = history.data === null ? noPoints : history.data?.points
  const money = data.totals.valueSaved !== null
  const charts = useMemo(() => {
    if (!points) return null
    const byDay = new Map(points.map((point) => [point.date, point]))
    const dates = data.daily.map((day) => day.date)
    const earned = dates.map((day) => byDay.get(day)?.value ?? null)
    const saved = data.daily.map((day) => (money ? day.valueSaved : day.timeSavedMinutes))
    const statusOf = (day: string): DayStatus => {
      const status = byDay.get(day)?.status
      return status === undefined || status === 'not_measurable' ? 'missing' : status
    }
    const complete = (
      values: readonly (number | null)[],
      status: readonly DayStatus[],
    ): (number | null)[] => values.map((value, i) => (status[i] === 'partial' ? null : value))
    const top: ChartSeries = { name: text.revenue, values: earned, tone: 'accent', kind: 'line' }
    const bottom: ChartSeries = {
      name: money ? text.value : text.time,
      values: saved,
      tone: 'goal',
      kind: 'bar',
    }
    const above = dates.map(statusOf)
    const below = data.daily.map((day) => day.status)
    return {
      dates,
      above,
      below,
      top: [top],
      bottom: [bottom],
      known: earned.some((value) => value !== null),
      moved: correlation(complete(earned, above), complete(saved, below)),
    }
  }, [data.daily, money, points])

  // No shop, or no answer: the page is whole without it.
  if (history.isError || (charts && !charts.known)) return null
  const say = (moved: { r: number; days: number }) =>
    text.correlation(
      money ? text.worth : text.hours,
      text.moved[togetherOf(moved)],
      formatNumber(Math.round(moved.r * 100) / 100, { unit: 'number' }, 'table'),
      formatNumber(moved.days, { unit: 'count' }),
    )
  return (
    <section aria-labelledby="beside" className="mt-8 rounded bg-surface p-4 shadow-surface sm:p-6">
      <h2 id="beside" className="text-lead font-semibold">
        {text.title}
      </h2>
      <p className="mb-3 text-small text-muted">{text.intro}</p>
      {charts ? (
        <>
          <Chart
            name={text.revenue}
            dates={charts.dates}
            status={charts.above}
            series={charts.top}
            unit="currency"
            currency={history.data?.currency ?? data.currency}
            twin
            notes={notes}
          />
          <div className="mt-6">
            <Chart
              name={money ? text.value : text.time}
              dates={charts.dates}
              status={charts.below}
              series={charts.bottom}
              unit={money ? 'currency' : 'minutes'}
              currency={data.currency}
              twin
              notes={notes}
            />
          </div>
          <NoteList name={text.title} notes={notes} />
          <p className="mt-4 max-w-prose text-small">
            {charts.moved
              ? say(charts.moved)
              : text.tooFew(formatNumber(leastDays, { unit: 'count' }))}
          </p>
        </>
      ) : (
        <>
          <Skeleton className="h-48 w-full sm:h-56" />
          <Skeleton className="mt-6 h-48 w-full sm:h-56" />
        </>
      )}
    </section>
  )
}

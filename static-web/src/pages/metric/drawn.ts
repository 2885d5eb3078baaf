import { useMemo } from 'react'
import type { Grain, Summary, SummaryKpi } from '../../api/types'
import type { ChartSeries } from '../../components/chart/Chart'
import { memberName } from '../../lib/breakdown'
import { alongside, daysAlongside } from '../../lib/alongside'
import { usePeriod } from '../../lib/range'
import { useIdentity } from '../../lib/session'
import { later } from '../../messages-later'
import { metric } from '../../messages-metric'
import { useMemberHistory, type Only } from '../analytics/queries'
import { useHistory } from '../overview/history'
import { goalLine } from './sentence'

/**
 * The points of the chart in a grain, of all or of one value of a dimension, with the comparison and the goal; null while they are on their way, an error where
 * they cannot be had.
 */
export function useDrawn(
  summary: Summary,
  kpi: SummaryKpi,
  grain: Grain,
  only: Only | null = null,
) {
  const { tenant } = useIdentity()
  const { from, to, compareFrom, compareTo, dates } = summary
  // The days of all are in the summary already.
  const daily = grain === 'day' && only === null
  const sources = usePeriod().sources ?? undefined
  const span = { from, to, grain, sources }
  const spanBefore =
    compareFrom && compareTo ? { from: compareFrom, to: compareTo, grain, sources } : null
  const whole = only === null
  const all = useHistory(tenant.id, kpi.key, whole && !daily ? span : null)
  const allBefore = useHistory(tenant.id, kpi.key, whole && !daily ? spanBefore : null)
  const part = useMemberHistory(tenant.id, kpi.key, only, span)
  const partBefore = useMemberHistory(tenant.id, kpi.key, only, spanBefore)
  const [now, earlier] = whole ? [all, allBefore] : [part, partBefore]
  const points = now.data
  const pointsBefore = earlier.data
  const waiting = now.isLoading || earlier.isLoading
  const failed = daily ? null : (now.error ?? earlier.error)
  const drawn = useMemo(() => {
    if (waiting || failed || (!daily && !points)) return null
    const drawnDates = daily ? dates : (points ?? []).map((point) => point.date)
    const series: ChartSeries[] = [
      {
        name: only ? memberName(only.dimension, only.member) : kpi.name,
        values: daily ? kpi.sparkline : (points ?? []).map((point) => point.value),
        tone: 'accent',
        kind: 'line',
      },
    ]
    const before = daily
      ? daysAlongside(summary, kpi.comparison)
      : alongside(summary, drawnDates, grain, pointsBefore ?? [])
    if (before.values.some((value) => value !== null))
      series.push({ name: later.chart.before, ...before, tone: 'before', kind: 'line' })
    // A goal is set for the whole.
    if (kpi.goal && !only) {
      const { values, share } = goalLine(kpi.goal, kpi.aggregation, drawnDates, grain)
      series.push({
        name: share ? metric.goalShare[grain] : metric.goal,
        values,
        tone: 'goal',
        kind: 'line',
      })
    }
    return {
      dates: drawnDates,
      status: daily
        ? kpi.dayStatus
        : (points ?? []).map((point) =>
            point.status === 'not_measurable' ? ('missing' as const) : point.status,
          ),
      series,
    }
  }, [daily, dates, grain, failed, kpi, only, points, pointsBefore, summary, waiting])
  return { drawn, failed, retry: () => void Promise.all([now.refetch(), earlier.refetch()]) }
}

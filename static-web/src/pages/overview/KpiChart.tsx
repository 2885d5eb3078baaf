import { useMemo } from 'react'
import type { Range, Summary, SummaryKpi } from '../../api/types'
import { ChangeText } from '../../components/ChangeText'
import { Chart, type ChartSeries } from '../../components/chart/Chart'
import { Skeleton } from '../../components/Skeleton'
import { Value } from '../../components/Value'
import { describeChange } from '../../lib/change'
import { daysOf } from '../../lib/dates'
import { beforeWords } from '../../lib/kpis'
import { messages } from '../../messages'
import { useFourWeeks } from './queries'

interface Props {
  summary: Summary
  kpi: SummaryKpi
  shown: Range
  tenantId: string
}

/** The picked number, large, with its days. */
export function KpiChart({ summary, kpi, shown, tenantId }: Props) {
  const before = beforeWords(shown, summary.compare)
  const change = describeChange(kpi, before, summary.compare)
  const single = summary.dates.length <= 1
  const weeks = useFourWeeks(tenantId, single ? kpi.key : null, single ? summary.to : null)
  const points = weeks.data?.series.find((one) => one.key === kpi.key)?.points

  const chart = useMemo(() => {
    if (single) {
      if (!points) return null
      const series: ChartSeries[] = [
        { name: kpi.name, values: points.map((p) => p.value), tone: 'accent', kind: 'line' },
      ]
      return { dates: points.map((p) => p.date), status: points.map((p) => p.status), series }
    }
    const series: ChartSeries[] = [
      { name: kpi.name, values: kpi.sparkline, tone: 'accent', kind: 'line' },
    ]
    if (kpi.comparison.some((value) => value !== null) && summary.compareFrom && summary.compareTo)
      series.push({
        name: messages.chart.before,
        values: summary.dates.map((_, i) => kpi.comparison[i] ?? null),
        tone: 'before',
        kind: 'line',
        dates: daysOf(summary.compareFrom, summary.compareTo),
      })
    return { dates: summary.dates, status: kpi.dayStatus, series }
  }, [kpi, points, single, summary])

  return (
    <section
      id="chart"
      aria-labelledby="chart-title"
      className="scroll-mt-16 rounded bg-surface p-4 shadow-surface sm:p-6"
    >
      <div className="flex flex-wrap items-start justify-between gap-x-8 gap-y-1">
        <div className="min-w-0">
          <h2 id="chart-title" className="text-lead font-semibold">
            {kpi.name}
          </h2>
          <p className="max-w-prose text-small text-muted sm:min-h-5">{kpi.description}</p>
        </div>
        <p className="flex items-baseline gap-3">
          <span className="text-big font-semibold tracking-[-0.02em] sm:text-huge">
            <Value
              value={kpi.value}
              unit={kpi.unit}
              currency={summary.currency}
              status={kpi.status}
              reason={kpi.statusReason}
              alone
            />
          </span>
          {change && (
            <span className="text-body">
              <ChangeText change={change} />
            </span>
          )}
        </p>
      </div>
      {kpi.value === null && kpi.statusReason && (
        <p className="mt-2 text-small">{kpi.statusReason}</p>
      )}
      <div className="mt-4">
        {single && <p className="text-small text-muted">{messages.overview.single}</p>}
        {chart ? (
          <Chart
            name={kpi.name}
            dates={chart.dates}
            status={chart.status}
            series={chart.series}
            unit={kpi.unit}
            currency={summary.currency}
            fromZero={kpi.unit !== 'ratio'}
          />
        ) : (
          <Skeleton className="h-64 w-full sm:h-84" />
        )}
      </div>
    </section>
  )
}

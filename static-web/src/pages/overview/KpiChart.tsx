import { useMemo } from 'react'
import { ChevronDown } from 'lucide-react'
import { Link } from 'react-router'
import type { Annotation, Summary, SummaryKpi } from '../../api/types'
import { ChangeText } from '../../components/ChangeText'
import { Chart, type ChartSeries } from '../../components/chart/Chart'
import { NoteList } from '../../components/chart/NoteList'
import { notesOf } from '../../components/chart/notes'
import { useNotes } from '../../components/chart/useNotes'
import { Skeleton } from '../../components/Skeleton'
import { Value } from '../../components/Value'
import { alongside, daysAlongside, type Alongside } from '../../lib/alongside'
import { describeChange } from '../../lib/change'
import { addDays } from '../../lib/dates'
import { beforeWords, shownUnit } from '../../lib/kpis'
import { usePeriod } from '../../lib/range'
import { later } from '../../messages-later'
import { useHistory } from './history'

const text = later.overview
const none: readonly Annotation[] = []

interface Props {
  summary: Summary
  kpi: SummaryKpi
  onPick: (key: string) => void
  search: string
  tenantId: string
}

// More days than this are drawn as weeks, which the server adds up: a ratio of a week is not the mean of its days.
const mostDays = 120

/** The picked number, large, with its days. */
export function KpiChart({ summary, kpi, onPick, search, tenantId }: Props) {
  const before = beforeWords(summary)
  const change = describeChange(kpi, before, summary.compare)
  const single = summary.dates.length <= 1
  const long = summary.dates.length > mostDays
  const { compareFrom, compareTo } = summary
  const sources = usePeriod().sources ?? undefined
  const now = useHistory(
    tenantId,
    kpi.key,
    single
      ? { from: addDays(summary.to, -27), to: summary.to, grain: 'day', sources }
      : long
        ? { from: summary.from, to: summary.to, grain: 'week', sources }
        : null,
  )
  const earlier = useHistory(
    tenantId,
    kpi.key,
    long && compareFrom && compareTo
      ? { from: compareFrom, to: compareTo, grain: 'week', sources }
      : null,
  )
  const { data: annotations = none } = useNotes(
    tenantId,
    single ? addDays(summary.to, -27) : summary.from,
    summary.to,
  )
  const notes = useMemo(
    () => notesOf(annotations, (one) => one === kpi.key),
    [annotations, kpi.key],
  )
  const waiting = now.isLoading || earlier.isLoading
  const points = now.data
  const pointsBefore = earlier.data

  const chart = useMemo(() => {
    const line = (values: readonly (number | null)[]): ChartSeries => ({
      name: kpi.name,
      values,
      tone: 'accent',
      kind: 'line',
    })
    const dashed = (before: Alongside): ChartSeries => ({
      name: later.chart.before,
      ...before,
      tone: 'before',
      kind: 'line',
    })
    if (waiting) return null
    if (points) {
      const axis = points.map((point) => point.date)
      const series = [line(points.map((point) => point.value))]
      if (pointsBefore?.some((point) => point.value !== null))
        series.push(dashed(alongside(summary, axis, 'week', pointsBefore)))
      return {
        dates: axis,
        status: points.map((point) =>
          point.status === 'not_measurable' ? 'missing' : point.status,
        ),
        series,
        grain: long ? ('week' as const) : ('day' as const),
      }
    }
    const series = [line(kpi.sparkline)]
    const before = daysAlongside(summary, kpi.comparison)
    if (before.values.some((value) => value !== null)) series.push(dashed(before))
    return { dates: summary.dates, status: kpi.dayStatus, series, grain: 'day' as const }
  }, [kpi, long, points, pointsBefore, summary, waiting])

  return (
    <section
      id="chart"
      aria-labelledby="chart-title"
      className="scroll-mt-16 rounded bg-surface p-4 shadow-surface sm:p-6"
    >
      <div className="flex flex-wrap items-start justify-between gap-x-8 gap-y-1">
        <div className="min-w-0">
          <h2 id="chart-title" className="sr-only">
            {kpi.name}
          </h2>
          <label className="print-title relative -my-2 -ml-1.5 inline-flex max-w-[calc(100%+0.375rem)] items-center rounded hover:bg-sunken">
            <span className="sr-only">{text.chartOf}</span>
            <select
              value={kpi.key}
              onChange={(event) => {
                onPick(event.target.value)
              }}
              className="h-11 min-w-0 [field-sizing:content] appearance-none truncate rounded bg-transparent pr-8 pl-1.5 text-lead font-semibold"
            >
              {summary.kpis.map((one) => (
                <option key={one.key} value={one.key}>
                  {one.name}
                </option>
              ))}
            </select>
            <ChevronDown
              aria-hidden="true"
              size={16}
              className="pointer-events-none absolute right-2"
            />
          </label>
          <p className="max-w-prose text-small text-muted sm:min-h-5">{kpi.description}</p>
        </div>
        <p className="flex items-baseline gap-3">
          <span className="text-big font-semibold tracking-[-0.02em] sm:text-huge">
            <Value
              value={kpi.value}
              unit={shownUnit(kpi)}
              currency={kpi.currency ?? summary.currency}
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
        {single && <p className="text-small text-muted">{text.single}</p>}
        {chart ? (
          <Chart
            name={kpi.name}
            dates={chart.dates}
            status={chart.status}
            series={chart.series}
            unit={shownUnit(kpi)}
            currency={kpi.currency ?? summary.currency}
            fromZero={kpi.unit !== 'ratio'}
            grain={chart.grain}
            days={summary}
            notes={notes}
          />
        ) : (
          <Skeleton className="h-64 w-full sm:h-84" />
        )}
      </div>
      <NoteList name={kpi.name} notes={notes} />
      <Link
        to={{ pathname: `/metrics/${kpi.key}`, search }}
        className="tap -mb-2 mt-1 inline-flex items-center text-small text-accent hover:underline"
      >
        {text.details(kpi.name)}
      </Link>
    </section>
  )
}

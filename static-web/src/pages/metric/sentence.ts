import type { Grain, Summary, SummaryGoal, SummaryKpi } from '../../api/types'
import { lastDayOf } from '../../components/chart/notes'
import { describeChange, movesInPoints } from '../../lib/change'
import { daysBetween } from '../../lib/dates'
import { formatNumber, formatPercent, formatPoints } from '../../lib/format'
import { shownUnit } from '../../lib/kpis'
import { messages } from '../../messages'
import { metric } from '../../messages-metric'

const say = metric.sentence

/** "31,204 sessions, 3% fewer than the 7 days before.": the value with its change, or why there is none. */
export function metricSentence(
  kpi: SummaryKpi,
  summary: Pick<Summary, 'currency' | 'compare'>,
  before: string,
  locale?: string,
): string {
  if (kpi.value === null) return kpi.statusReason ?? messages.notMeasurableWhy
  const style = { unit: shownUnit(kpi), currency: kpi.currency ?? summary.currency, locale }
  const value = formatNumber(kpi.value, style, 'table')
  const lead = kpi.unit === 'count' ? say.count(value, kpi.name) : say.value(kpi.name, value)
  const change = describeChange(kpi, before, summary.compare, locale)
  if (!change) return say.alone(lead)
  // Of the whole of both periods, or of the days that both have.
  const alike = kpi.change === null ? kpi.alike : null
  const told = alike ?? kpi
  if (change.sign === null || told.previous === null || told.change === null)
    return say.withheld(lead, change.spoken)
  if (change.sign === 0)
    return alike ? say.alike(lead, say.same, alike.days) : say.level(lead, before)
  const by = movesInPoints(kpi)
    ? say.points(formatPoints((told.value ?? 0) - told.previous, locale))
    : formatPercent(told.change, locale)
  const counted = kpi.unit === 'count'
  const word = change.sign > 0 ? (counted ? say.more : say.higher) : counted ? say.fewer : say.lower
  return alike ? say.alike(lead, `${by} ${word}`, alike.days) : say.moved(lead, by, word, before)
}

const dayCount = (from: string, to: string) => daysBetween(from, to) + 1

/**
 * What a goal asks of each point of a chart. What adds up has its share by days of the goal's period; anything else
 * has the target itself, since a mean or a ratio of a day is measured like that of a month.
 */
export function goalLine(
  goal: Pick<SummaryGoal, 'target' | 'from' | 'to' | 'rhythm'>,
  aggregation: SummaryKpi['aggregation'],
  dates: readonly string[],
  grain: Grain,
): { values: number[]; share: boolean } {
  if (aggregation !== 'sum' || goal.rhythm === grain)
    return { values: dates.map(() => goal.target), share: false }
  const perDay = goal.target / dayCount(goal.from, goal.to)
  return { values: dates.map((day) => perDay * dayCount(day, lastDayOf(day, grain))), share: true }
}

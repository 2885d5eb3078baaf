// The sentences on top of the automation page, made from the totals of the answer and nothing else.
import type { AutomationPerformance } from '../api/types'
import { messages } from '../messages'
import { later } from '../messages-later'
import { apartNotes } from './left-out'
import { dayName, dayRange } from './dates'
import { formatNumber } from './format'
import { beforeWords } from './kpis'
import { isRange } from './range'
import { agrees, returnOf } from './reckon'

const say = later.automation.sentence

/** "Automations saved 41 h in the last 28 days, worth $1,640 against a cost of $99: a return of 15.6×." */
export function automationSentence(data: AutomationPerformance, locale?: string): string {
  const { timeSavedMinutes, valueSaved, cost, roi } = data.totals
  const when = isRange(data.range)
    ? messages.ranges[data.range].noun
    : say.onDays(dayRange(data.from, data.to, undefined, locale), data.from === data.to)
  if (timeSavedMinutes === null) return say.notMeasurable
  if (timeSavedMinutes === 0) return say.nothing(when)
  const money = (value: number) =>
    formatNumber(value, { unit: 'currency', currency: data.currency, locale }, 'table')
  let text = say.saved(formatNumber(timeSavedMinutes, { unit: 'minutes', locale }), when)
  if (valueSaved !== null) {
    text += say.worth(money(valueSaved))
    if (cost !== null) {
      text += say.cost(money(cost))
      if (roi !== null) {
        const times = formatNumber(roi, { unit: 'times', locale })
        const holds = agrees(times, [money(valueSaved), money(cost)], returnOf, locale)
        const told = holds ? times : say.about(times)
        text += roi < 0 ? say.loss(told) : say.roi(told)
        text += say.arithmetic(money(valueSaved), money(cost))
      }
    }
  }
  return text + say.end
}

/** What else has to be said: the period before, days that cannot be measured, a cost that is not set. */
export function automationNotes(data: AutomationPerformance, locale?: string): string[] {
  const notes: string[] = []
  // As the same change is told elsewhere: over the whole, or over the days that both periods have.
  const saved = data.changes.find((one) => one.key === 'automation.time_saved')
  const alike = saved?.change === null ? saved.alike : null
  const now = alike ? alike.value : (saved?.value ?? null)
  const was = alike ? alike.previous : (saved?.previous ?? null)
  const told = saved !== undefined && (saved.change !== null || alike !== null)
  if (data.compare !== 'none' && now !== null && was !== null && told) {
    const before = alike ? messages.alikeBefore(alike.days, beforeWords(data)) : beforeWords(data)
    const difference = formatNumber(Math.abs(now - was), { unit: 'minutes', locale })
    notes.push(
      Math.abs(now - was) < 1
        ? say.same(before)
        : now > was
          ? say.more(difference, before)
          : say.less(difference, before),
    )
  }
  if (data.measurableFrom !== null && data.measurableFrom > data.from)
    notes.push(say.measurableFrom(dayName(data.measurableFrom, locale)))
  notes.push(...apartNotes(data, locale))
  if (data.totals.valueSaved !== null && data.totals.cost === null) notes.push(say.noCost)
  return notes
}

/** Red is for trouble: more than one finished run in twenty failed. */
export const isFailing = (totals: { successRate: number | null }) =>
  totals.successRate !== null && totals.successRate < 0.95

export type WorkflowColumn =
  | 'name'
  | 'executions'
  | 'successRate'
  | 'averageDurationMs'
  | 'timeSavedMinutes'
  | 'valueSaved'
  | 'failed'
  | 'lostMinutes'

/** Sorted by a column; what is unknown stands last either way, and equals keep the order of their names. */
export function sortWorkflows(
  workflows: AutomationPerformance['workflows'],
  column: WorkflowColumn,
  descending: boolean,
): AutomationPerformance['workflows'] {
  const turn = descending ? -1 : 1
  return [...workflows].sort((a, b) => {
    if (column === 'name') return turn * a.name.localeCompare(b.name)
    const [x, y] = [a[column], b[column]]
    if (x === y) return a.name.localeCompare(b.name)
    if (x === null) return 1
    if (y === null) return -1
    return turn * (x - y)
  })
}

import type { Summary } from '../api/types'
import { clock, dayName } from './dates'
import { messages } from '../messages'

const earliest = (values: (string | null)[]) =>
  values.filter((value): value is string => value !== null).sort()[0] ?? null

/** How fresh a dashboard is, in one line: what holds for every source. */
export function freshWords(summary: Pick<Summary, 'freshness' | 'timeZone'>): string {
  const through = earliest(summary.freshness.map((source) => source.completeThrough))
  const fetched = earliest(summary.freshness.map((source) => source.fetchedAt))
  if (fetched === null) return messages.fresh.never
  return [
    through && messages.fresh.through(dayName(through)),
    messages.fresh.fetched(clock(fetched, summary.timeZone, new Date())),
  ]
    .filter(Boolean)
    .join(' · ')
}

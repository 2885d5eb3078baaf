import { metric } from '../messages-metric'
import { daysBetween } from './dates'
import { isDay, mostDays } from './range'

/** The first day that the API knows. */
export const earliest = '2000-01-01'

export type Wrong = { from?: string; to?: string }

/** What is wrong with days of one's own, at the field where it can be mended. */
export function checkDays(from: string, to: string, today: string): Wrong | null {
  const say = metric.days
  if (!isDay(from)) return { from: say.missing }
  if (!isDay(to)) return { to: say.missing }
  if (from > to) return { from: say.after }
  if (from < earliest) return { from: say.early(earliest) }
  if (to > today) return { to: say.future }
  if (daysBetween(from, to) >= mostDays) return { from: say.long(mostDays) }
  return null
}

// What the totals of the automations leave out, and what stands beside them: so that nobody takes them for more than they are.
import type { AutomationPerformance } from '../api/types'
import { later } from '../messages-later'
import { formatNumber } from './format'

const say = later.automation.apart
const named = 3

/** One sentence a reason for workflows left out, one for runs that are none yet, one where the mean misleads. */
export function apartNotes(saved: AutomationPerformance, locale?: string): string[] {
  // A copy from an earlier visit may be from before these were told.
  const data: Partial<AutomationPerformance> = saved
  const count = (value: number) => formatNumber(value, { unit: 'count', locale }, 'exact')
  const time = (value: number) => formatNumber(value, { unit: 'milliseconds', locale })
  const notes: string[] = []
  for (const reason of ['successes_not_kept', 'not_shown'] as const) {
    const some = (data.leftOut ?? []).filter((one) => one.reason === reason)
    if (some.length === 0) continue
    const names = some.slice(0, named).map(({ name }) => `“${name}”`)
    const more = some.length - names.length
    const failed = some.reduce((sum, one) => sum + one.failed, 0)
    notes.push(
      say[reason](
        more > 0 ? `${names.join(', ')} ${say.more(count(more))}` : say.list(names),
        some.length === 1,
      ) + (failed > 0 ? ` ${say.failed(count(failed), failed === 1)}` : ''),
    )
  }
  const parts = [
    data.canceled ? say.canceled(count(data.canceled)) : null,
    data.running ? say.running(count(data.running)) : null,
    data.waiting ? say.waiting(count(data.waiting)) : null,
  ].filter((part) => part !== null)
  if (parts.length > 0) notes.push(say.beside(say.list(parts)))
  const mean = saved.totals.averageDurationMs
  const median = data.totals?.medianDurationMs ?? null
  if (mean !== null && median !== null && median > 0 && mean > 2 * median)
    notes.push(say.median(time(median), time(mean)))
  return notes
}

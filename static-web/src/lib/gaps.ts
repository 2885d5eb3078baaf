import type { DayStatus } from '../api/types'
import { daysBetween } from './dates'

export interface Gap {
  from: string
  to: string
  days: number
  /** True when the gap reaches the end of the period. */
  toEnd: boolean
}

const justThat = (day: string) => ({ from: day, to: day })

/** The runs of days that have no data. `spanOf` says which days a point stands for, where it is more than its own. */
export function missingRuns(
  dates: readonly string[],
  status: readonly DayStatus[],
  spanOf: (day: string) => { from: string; to: string } = justThat,
): Gap[] {
  const gaps: Gap[] = []
  let open: Gap | null = null
  dates.forEach((day, i) => {
    if (status[i] !== 'missing') {
      open = null
      return
    }
    const { from, to } = spanOf(day)
    if (!open) gaps.push((open = { from, to, days: 0, toEnd: false }))
    open.to = to
    open.days = daysBetween(open.from, to) + 1
    open.toEnd = i === dates.length - 1
  })
  return gaps
}

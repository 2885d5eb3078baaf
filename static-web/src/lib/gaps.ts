import type { DayStatus } from '../api/types'

export interface Gap {
  from: string
  to: string
  days: number
  /** True when the gap reaches the end of the period. */
  toEnd: boolean
}

/** The runs of days that have no data. */
export function missingRuns(dates: readonly string[], status: readonly DayStatus[]): Gap[] {
  const gaps: Gap[] = []
  let open: Gap | null = null
  dates.forEach((day, i) => {
    if (status[i] !== 'missing') {
      open = null
      return
    }
    const toEnd = i === dates.length - 1
    if (open) {
      open.to = day
      open.days += 1
      open.toEnd = toEnd
    } else {
      open = { from: day, to: day, days: 1, toEnd }
      gaps.push(open)
    }
  })
  return gaps
}

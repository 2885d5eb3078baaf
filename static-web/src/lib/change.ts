import { messages } from '../messages'
import type { Compare, Direction, SummaryKpi } from '../api/types'
import { formatPercent, formatPoints } from './format'
import { shownUnit } from './kpis'

export type Tone = 'good' | 'bad' | 'plain'

export interface Change {
  /** −1 down, 0 level, 1 up; null when the change is withheld. */
  sign: -1 | 0 | 1 | null
  tone: Tone
  /** What stands beside the arrow: "12%", "0.2 pt", or why there is no percentage. */
  text: string
  /** The same for someone who hears it: "up 12% on the 28 days before, which is good". */
  spoken: string
}

type Changing = Pick<SummaryKpi, 'key' | 'value' | 'previous' | 'change' | 'unit' | 'direction'> &
  Partial<Pick<SummaryKpi, 'changeWithheld' | 'alike' | 'byChance'>>

function toneOf(sign: number, direction: Direction): Tone {
  if (sign === 0 || direction === 'neutral') return 'plain'
  return sign > 0 === (direction === 'up') ? 'good' : 'bad'
}

/** Ratios move in percentage points, everything else in per cent. */
export const movesInPoints = (kpi: Pick<SummaryKpi, 'key' | 'unit'>) => shownUnit(kpi) === 'ratio'

/**
 * The one place that colours a change. Whether it is more than chance is judged where the numbers are (`byChance`), on the days that were
 * compared, so that every page says the same of it.
 */
export function describeChange(
  kpi: Changing,
  before: string,
  compare: Compare,
  locale?: string,
): Change | null {
  if (compare === 'none') return null
  const { value, previous, change, changeWithheld } = kpi
  const { alike } = kpi
  if (change === null && alike) {
    // Days are missing: the weekdays that both have are compared, and it is said how many those are.
    const like = describeChange(
      { ...kpi, ...alike, alike: null },
      messages.alikeBefore(alike.days, before),
      compare,
      locale,
    )
    return like && { ...like, text: messages.alike(like.text, alike.days) }
  }
  if (change === null || value === null) {
    const why =
      messages.withheld[changeWithheld ?? (value === null ? 'not_measurable' : 'no_previous')]
    return { sign: null, tone: 'plain', text: why.short, spoken: why.long }
  }
  const points = movesInPoints(kpi) && previous !== null
  const moved = points ? value - previous : change
  const text = points ? messages.points(formatPoints(moved, locale)) : formatPercent(moved, locale)
  // A twentieth of a per cent, or of a point, is no movement worth an arrow.
  const level = Math.abs(moved) < 0.0005
  const sign = level ? 0 : moved > 0 ? 1 : -1
  // What chance alone does is no trouble, and no success.
  const tone = kpi.byChance ? 'plain' : toneOf(sign, kpi.direction)
  return {
    sign,
    tone,
    text: level ? messages.level : text,
    spoken: messages.changeSpoken(sign, text, before, tone),
  }
}

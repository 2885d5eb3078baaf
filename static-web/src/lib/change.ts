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

type Changing = Pick<
  SummaryKpi,
  'key' | 'value' | 'previous' | 'change' | 'changeWithheld' | 'unit' | 'direction'
> & { alike?: SummaryKpi['alike'] } & Days

/** The days of both periods, where they are known. */
type Days = Partial<Pick<SummaryKpi, 'aggregation' | 'sparkline' | 'comparison'>>

/** What fewer pairs of days say of their spread is worth nothing. */
const fewestDays = 4

/**
 * Whether a change is more than chance. Of counts: more than two standard deviations of the difference of two Poisson counts, 2·√(a + b).
 * Of money, rates and
 * times: whether the days differ from those of the period before, day by day so that weekdays cancel out, by more than their own spread
 * explains (Student's t,
 * 5 %). What is no sum or mean of its days, or has too few of them, carries no such rule.
 */
export function beyondNoise({
  unit,
  value,
  previous,
  aggregation,
  sparkline = [],
  comparison = [],
}: Pick<SummaryKpi, 'unit' | 'value' | 'previous'> & Days): boolean {
  if (value === null || previous === null) return false
  if (unit === 'count') return Math.abs(value - previous) > 2 * Math.sqrt(value + previous)
  if (aggregation !== 'sum' && aggregation !== 'ratio' && aggregation !== 'daily_mean') return true
  const apart = sparkline.flatMap((day, i) => {
    const then = comparison[i] ?? null
    return day === null || then === null ? [] : [day - then]
  })
  const n = apart.length
  if (n < fewestDays) return true
  const mean = apart.reduce((sum, one) => sum + one, 0) / n
  const spread = apart.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1)
  // The 97.5 % point of Student's t, to within 4 % from three degrees of freedom on.
  const t = 1.96 + 2.37 / (n - 1) + 2.8 / (n - 1) ** 2
  return Math.abs(mean) > t * Math.sqrt(spread / n)
}

export function toneOf(sign: number, direction: Direction): Tone {
  if (sign === 0 || direction === 'neutral') return 'plain'
  return sign > 0 === (direction === 'up') ? 'good' : 'bad'
}

/** Ratios move in percentage points, everything else in per cent. */
export const movesInPoints = (kpi: Pick<SummaryKpi, 'key' | 'unit'>) => shownUnit(kpi) === 'ratio'

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
  if (change === null || value === null || previous === null) {
    const why =
      messages.withheld[changeWithheld ?? (value === null ? 'not_measurable' : 'no_previous')]
    return { sign: null, tone: 'plain', text: why.short, spoken: why.long }
  }
  const points = movesInPoints(kpi)
  const moved = points ? value - previous : change
  const text = points ? messages.points(formatPoints(moved, locale)) : formatPercent(moved, locale)
  // A twentieth of a per cent, or of a point, is no movement worth an arrow.
  const level = Math.abs(moved) < 0.0005
  const sign = level ? 0 : moved > 0 ? 1 : -1
  // What chance alone does is no trouble, and no success.
  const tone = beyondNoise(kpi) ? toneOf(sign, kpi.direction) : 'plain'
  return {
    sign,
    tone,
    text: level ? messages.level : text,
    spoken: messages.changeSpoken(sign, text, before, tone),
  }
}

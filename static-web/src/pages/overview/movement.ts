import type { SummaryKpi } from '../../api/types'

type Moved = Pick<SummaryKpi, 'unit' | 'value' | 'previous' | 'change'>

/**
 * Whether a change is more than the noise of counting: for counts, more than two standard deviations of the
 * difference of two Poisson counts, 2·√(a + b). Other units carry no such rule.
 */
export function beyondNoise({ unit, value, previous }: Omit<Moved, 'change'>): boolean {
  if (value === null || previous === null) return false
  if (unit !== 'count') return true
  return Math.abs(value - previous) > 2 * Math.sqrt(value + previous)
}

/** What a number is about, by its change: it moved, it may be chance, or it cannot be compared. */
export const movement = (kpi: Moved): 'moved' | 'chance' | 'none' =>
  kpi.change === null ? 'none' : beyondNoise(kpi) ? 'moved' : 'chance'

const order = ['moved', 'chance', 'none']

/** What moved most comes first; what may be chance after it, and last what cannot be compared. Equals keep their order. */
export function byMovement<T extends Moved>(kpis: readonly T[]): T[] {
  const rank = (kpi: T) => order.indexOf(movement(kpi))
  return [...kpis].sort(
    (a, b) => rank(a) - rank(b) || Math.abs(b.change ?? 0) - Math.abs(a.change ?? 0),
  )
}

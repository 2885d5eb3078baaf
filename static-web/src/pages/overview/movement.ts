import type { SummaryKpi } from '../../api/types'
import { beyondNoise } from '../../lib/change'

type Moved = Pick<SummaryKpi, 'unit' | 'value' | 'previous' | 'change'> &
  Partial<Pick<SummaryKpi, 'aggregation' | 'sparkline' | 'comparison'>>

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

import type { SummaryKpi } from '../../api/types'

type Moved = Pick<SummaryKpi, 'change' | 'alike' | 'byChance'>

/** What is told of it: the change of the whole, or that of the days that both periods have. */
const toldOf = ({ change, alike, byChance }: Moved) =>
  change === null && alike ? alike : { change, byChance }

/** What a number is about, by its change: it moved, it may be chance, or it cannot be compared. */
export const movement = (kpi: Moved): 'moved' | 'chance' | 'none' => {
  const { change, byChance } = toldOf(kpi)
  return change === null ? 'none' : byChance ? 'chance' : 'moved'
}

const order = ['moved', 'chance', 'none']

/** What moved most comes first; what may be chance after it, and last what cannot be compared. Equals keep their order. */
export function byMovement<T extends Moved>(kpis: readonly T[]): T[] {
  const rank = (kpi: T) => order.indexOf(movement(kpi))
  const size = (kpi: T) => Math.abs(toldOf(kpi).change ?? 0)
  return [...kpis].sort((a, b) => rank(a) - rank(b) || size(b) - size(a))
}

/**
 * What stands above a line: the first of each kind that did not move. The first line of all as well: where nothing moved but by chance, nothing stands
 * under "What else moved" as if it had.
 */
export function headingOf(rows: readonly Moved[], i: number): 'chance' | 'none' | null {
  const [kpi, above] = [rows[i], rows[i - 1]]
  const group = kpi ? movement(kpi) : 'moved'
  return group === 'moved' || (above && movement(above) === group) ? null : group
}

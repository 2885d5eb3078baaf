/** Fewer days than three weeks tell nothing about a rhythm of seven. */
export const leastDays = 21

const mean = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length

/** What is left of each value when the mean of its weekday is taken away: a shop that is busy on Mondays is no news. */
function withoutWeek(days: readonly number[], values: readonly number[]): number[] {
  const of = (weekday: number) => values.filter((_, i) => (days[i] ?? 0) % 7 === weekday)
  const means = Array.from({ length: 7 }, (_, weekday) => mean(of(weekday)))
  return values.map((value, i) => value - (means[(days[i] ?? 0) % 7] ?? 0))
}

/**
 * Pearson's r of two daily series after each is rid of its weekly rhythm, over the days on which both are known; null for
 * fewer than three weeks of them, or when one of the two does not move at all.
 */
export function correlation(
  one: readonly (number | null)[],
  other: readonly (number | null)[],
): { r: number; days: number } | null {
  const days: number[] = []
  const xs: number[] = []
  const ys: number[] = []
  one.forEach((x, i) => {
    const y = other[i] ?? null
    if (x === null || y === null) return
    days.push(i)
    xs.push(x)
    ys.push(y)
  })
  if (days.length < leastDays) return null
  const [a, b] = [withoutWeek(days, xs), withoutWeek(days, ys)]
  const product = (p: readonly number[], q: readonly number[]) =>
    p.reduce((sum, value, i) => sum + value * (q[i] ?? 0), 0)
  const size = Math.sqrt(product(a, a) * product(b, b))
  // What rounding leaves of a series that is its weekdays' means is no movement.
  const still = 1e-9 * Math.sqrt(product(xs, xs) * product(ys, ys))
  return size <= still ? null : { r: product(a, b) / size, days: days.length }
}

export type Together = 'apart' | 'together' | 'closely' | 'against' | 'closelyAgainst'

/**
 * In words. What chance alone would often show is no movement together: Student's t of r, with seven means and one slope taken
 * off the days, must be 2 or more (about one time in twenty for series that have nothing to do with each other).
 */
export function togetherOf({ r, days }: { r: number; days: number }): Together {
  const t = Math.abs(r) * Math.sqrt((days - 8) / Math.max(1 - r * r, 1e-12))
  if (t < 2) return 'apart'
  const close = Math.abs(r) >= 0.7
  if (r > 0) return close ? 'closely' : 'together'
  return close ? 'closelyAgainst' : 'against'
}

import { describe, expect, it } from 'vitest'
import { correlation, leastDays, togetherOf } from './correlation'

const days = Array.from({ length: 35 }, (_, i) => i)
const week = [10, 50, 40, 30, 20, 5, 0]
/** Noise that repeats itself for nobody: digits of a linear congruence. */
const noise = days.map((_, i) => ((i * 1103515245 + 12345) % 2147483648) / 2147483648)

describe('correlation', () => {
  it('is one for a series and any straight line of it, and minus one turned over', () => {
    const line = noise.map((value) => 3 * value + 7)
    expect(correlation(noise, line)?.r).toBeCloseTo(1, 10)
    expect(
      correlation(
        noise,
        line.map((value) => -value),
      )?.r,
    ).toBeCloseTo(-1, 10)
  })

  it('agrees with a computation by hand', () => {
    // Four weeks; one weekday moves, the others do not at all.
    const one = Array.from({ length: 28 }, (_, i) =>
      i % 7 === 0 ? ([1, -1, 1, -1][i / 7] ?? 0) : 5,
    )
    const other = Array.from({ length: 28 }, (_, i) =>
      i % 7 === 0 ? ([2, -2, -2, 2][i / 7] ?? 0) : 9,
    )
    // Products: 2, 2, −2, −2.
    expect(correlation(one, other)?.r).toBeCloseTo(0, 10)
    const third = Array.from({ length: 28 }, (_, i) =>
      i % 7 === 0 ? ([2, -1, 0, -1][i / 7] ?? 0) : 9,
    )
    // Products 2, 1, 0, 1 against sqrt(4 · 6).
    expect(correlation(one, third)?.r).toBeCloseTo(4 / Math.sqrt(24), 10)
  })

  it('does not call the rhythm of the week a connection', () => {
    const one = days.map((i) => (week[i % 7] ?? 0) + (noise[i] ?? 0))
    const other = days.map((i) => 100 * (week[i % 7] ?? 0) + (noise[(i * 11 + 3) % 35] ?? 0))
    expect(Math.abs(correlation(one, other)?.r ?? 1)).toBeLessThan(0.5)
  })

  it('leaves out days on which one of the two is unknown', () => {
    const holes = noise.map((value, i) => (i % 10 === 3 ? null : value))
    expect(correlation(holes, noise)).toEqual({ r: expect.closeTo(1, 10) as number, days: 31 })
  })

  it('says nothing over less than three weeks, or of what does not move', () => {
    expect(correlation(noise.slice(0, leastDays - 1), noise.slice(0, leastDays - 1))).toBeNull()
    expect(
      correlation(
        noise,
        noise.map(() => 4),
      ),
    ).toBeNull()
    expect(
      correlation(
        noise,
        days.map((i) => week[i % 7] ?? 0),
      ),
    ).toBeNull()
  })
})

describe('its words', () => {
  // The critical r of 5 % is 2 / sqrt(days − 8 + 4): 0.41 for 28 days, 0.21 for a quarter.
  it.each([
    [0, 28, 'apart'],
    [0.4, 28, 'apart'],
    [0.42, 28, 'together'],
    [0.2, 90, 'apart'],
    [0.23, 90, 'together'],
    [0.7, 28, 'closely'],
    [1, 28, 'closely'],
    [-0.42, 28, 'against'],
    [-0.71, 28, 'closelyAgainst'],
  ] as const)('%s over %s days is %s', (r, days, words) => {
    expect(togetherOf({ r, days })).toBe(words)
  })
})

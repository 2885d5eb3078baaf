import { describe, expect, it } from 'vitest'
import { byMovement, headingOf, movement } from './movement'

const kpi = (name: string, change: number | null, byChance = false) => ({
  name,
  change,
  byChance,
  alike: null,
})
const paired = (name: string, change: number, byChance = false) => ({
  ...kpi(name, null),
  alike: { days: 20, value: 1, previous: 1, change, byChance },
})

describe('what moved', () => {
  it('is what chance alone does not do, on the days that are compared', () => {
    expect(movement(kpi('', 0.1))).toBe('moved')
    expect(movement(kpi('', 0.1, true))).toBe('chance')
    expect(movement(kpi('', null))).toBe('none')
    expect(movement(paired('', 0.1))).toBe('moved')
    expect(movement(paired('', 0.1, true))).toBe('chance')
  })

  it('comes before what may be chance, and that before what cannot be compared', () => {
    const order = byMovement([
      kpi('unknown', null),
      kpi('chance', 2, true),
      kpi('small', 0.1),
      paired('paired', 0.3),
      kpi('large', -0.5),
    ]).map(({ name }) => name)
    expect(order).toEqual(['large', 'paired', 'small', 'chance', 'unknown'])
  })

  it('has a heading above what did not move, and also where nothing did', () => {
    const headings = (...rows: ReturnType<typeof kpi>[]) => rows.map((_, i) => headingOf(rows, i))
    const [moved, chance, none] = [kpi('', 0.5), kpi('', 0.2, true), kpi('', null)]
    expect(headings(moved, moved, chance, chance, none)).toEqual([
      null,
      null,
      'chance',
      null,
      'none',
    ])
    expect(headings(chance, none, none)).toEqual(['chance', 'none', null])
    expect(headings(none)).toEqual(['none'])
  })
})

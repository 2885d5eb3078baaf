import { describe, expect, it } from 'vitest'
import type { SummaryKpi } from '../../api/types'
import { beyondNoise } from '../../lib/change'
import { byMovement } from './movement'

const kpi = (
  name: string,
  unit: SummaryKpi['unit'],
  value: number | null,
  previous: number | null,
) => ({
  name,
  unit,
  value,
  previous,
  change: value === null || !previous ? null : value / previous - 1,
})

describe('what moved', () => {
  it('is not the noise of counting', () => {
    expect(beyondNoise(kpi('', 'count', 5, 3))).toBe(false)
    expect(beyondNoise(kpi('', 'count', 500, 300))).toBe(true)
    expect(beyondNoise(kpi('', 'ratio', 0.021, 0.02))).toBe(true)
    expect(beyondNoise(kpi('', 'count', null, 3))).toBe(false)
  })

  it('comes before what may be chance, and that before what cannot be compared', () => {
    const order = byMovement([
      kpi('unknown', 'count', 7, null),
      kpi('chance', 'count', 6, 2),
      kpi('small', 'count', 1100, 1000),
      kpi('large', 'currency', 500, 1000),
    ]).map(({ name }) => name)
    expect(order).toEqual(['large', 'small', 'chance', 'unknown'])
  })
})

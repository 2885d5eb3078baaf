import { describe, expect, it } from 'vitest'
import { targetOf, typedOf } from './entry'

describe('a target', () => {
  it('is entered as people say it', () => {
    expect(targetOf('2.5', 'ratio')).toBe(0.025)
    expect(targetOf('2,5 %', 'ratio')).toBe(0.025)
    expect(targetOf('40', 'minutes')).toBe(2400)
    expect(targetOf('1.5', 'milliseconds')).toBe(1500)
    expect(targetOf('50,000', 'currency')).toBe(50000)
    expect(targetOf('12', 'count')).toBe(12)
  })
  it('is nothing, or no number, and then it is not 0', () => {
    expect(targetOf(' ', 'count')).toBeNull()
    expect(targetOf('many', 'count')).toBeUndefined()
  })
  it('comes back as it was typed', () => {
    for (const [typed, unit] of [
      ['2.5', 'ratio'],
      ['0.07', 'ratio'],
      ['40', 'minutes'],
      ['1.5', 'milliseconds'],
      ['12', 'count'],
    ] as const)
      expect(typedOf(targetOf(typed, unit) ?? Number.NaN, unit)).toBe(typed)
  })
})

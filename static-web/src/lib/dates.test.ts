import { describe, expect, it } from 'vitest'
import { addDays, clock, dayIn, dayName, dayRange, daysBetween, expectedDays } from './dates'
import { daysOf } from './dayNames'

describe('business days', () => {
  it('cross the hour changes of daylight saving without losing or doubling a day', () => {
    const days = daysOf('2026-10-20', '2026-11-05')
    expect(days).toHaveLength(17)
    expect(new Set(days).size).toBe(17)
    expect(addDays('2026-03-28', 1)).toBe('2026-03-29')
    expect(addDays('2026-03-29', 1)).toBe('2026-03-30')
  })
  it('know leap days', () => {
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29')
    expect(daysBetween('2028-02-01', '2028-03-01')).toBe(29)
  })
  it("are those of the tenant's time zone, not of the viewer's", () => {
    const at = new Date('2026-11-22T07:30:00Z')
    expect(dayIn('America/Los_Angeles', at)).toBe('2026-11-21')
    expect(dayIn('Pacific/Auckland', at)).toBe('2026-11-22')
    expect(dayIn('Pacific/Auckland', new Date('2026-11-22T11:30:00Z'))).toBe('2026-11-23')
  })
})

describe('words for days', () => {
  it('name the weekday', () => {
    expect(dayName('2026-11-15', 'en-GB')).toMatch(/^Sun,? 15 Nov$/)
  })
  it('leave the year out only when it is the current one', () => {
    expect(dayRange('2026-10-24', '2026-11-20', '2026-11-22', 'en-GB').replace(/\s/g, ' ')).toBe(
      '24 Oct – 20 Nov',
    )
    expect(dayRange('2025-11-22', '2026-11-21', '2026-11-22', 'en-GB')).toContain('2025')
  })
  it('give the time within the day, and the date beyond it', () => {
    const now = new Date('2026-11-22T15:00:00Z')
    expect(clock('2026-11-22T14:12:00Z', 'America/Los_Angeles', now, 'en-GB')).toBe('06:12')
    expect(clock('2026-11-21T14:12:00Z', 'America/Los_Angeles', now, 'en-GB')).toMatch(
      /Sat.*21 Nov.*06:12/,
    )
  })
})

describe('the days a range is expected to cover', () => {
  it.each([
    ['last_day', '2026-11-21', '2026-11-21'],
    ['last_7_days', '2026-11-15', '2026-11-21'],
    ['last_28_days', '2026-10-25', '2026-11-21'],
    ['last_12_months', '2025-11-22', '2026-11-21'],
  ] as const)('%s: %s to %s', (range, from, to) => {
    expect(expectedDays(range, '2026-11-22')).toEqual({ from, to })
  })
  it('survive a leap day', () => {
    expect(expectedDays('last_12_months', '2028-03-01')).toEqual({
      from: '2027-03-01',
      to: '2028-02-29',
    })
  })
})

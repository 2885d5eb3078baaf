import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Compare } from '../api/types'
import { alongside, daysAlongside, type Compared } from './alongside'
import { addDays, addYears, daysBetween } from './dates'
import { daysOf } from './dayNames'
import { keepsWeekdays, ranges } from './range'

const lastYear = (from: string, compareFrom: string, compareTo: string): Compared => ({
  range: 'custom',
  from,
  compare: 'previous_year',
  compareFrom,
  compareTo,
})
/** Each day tells its own name, so that what stands beside it can be read. */
const dated = (of: Compared, to: string) => {
  const before = daysOf(of.compareFrom ?? '', of.compareTo ?? '')
  const dates = daysOf(of.from, to)
  const { values, dates: beside } = daysAlongside(
    { ...of, dates },
    before.map((_, i) => i),
  )
  expect(values.map((i) => (i === null ? null : before[i]))).toEqual(beside)
  return new Map(dates.map((day, i) => [day, beside[i]]))
}
const weeks = (from: string, to: string) => {
  const monday = addDays(from, -((new Date(from).getUTCDay() + 6) % 7))
  return daysOf(monday, to).filter((_, i) => i % 7 === 0)
}
const points = (dates: readonly string[]) => dates.map((date, value) => ({ date, value }))

describe('what stands beside a day of last year', () => {
  it('is its date, also after a 29 February that only this year has', () => {
    const beside = dated(lastYear('2028-01-01', '2027-01-01', '2027-11-18'), '2028-11-18')
    expect(beside.get('2028-02-28')).toBe('2027-02-28')
    expect(beside.get('2028-02-29')).toBe('2027-02-28')
    expect(beside.get('2028-03-01')).toBe('2027-03-01')
    expect(beside.get('2028-11-18')).toBe('2027-11-18')
  })
  it('is its date, also after a 29 February that only the year before has', () => {
    const beside = dated(lastYear('2029-01-01', '2028-01-01', '2028-11-18'), '2029-11-18')
    expect(beside.get('2029-02-28')).toBe('2028-02-28')
    expect(beside.get('2029-03-01')).toBe('2028-03-01')
    expect(beside.get('2029-11-18')).toBe('2028-11-18')
    expect([...beside.values()]).not.toContain('2028-02-29')
  })
  it('is its date for whole months and for 29 February itself', () => {
    const february = dated(lastYear('2029-02-01', '2028-02-01', '2028-02-29'), '2029-02-28')
    expect([...february.values()]).toEqual(daysOf('2028-02-01', '2028-02-28'))
    const leap = dated(lastYear('2028-02-29', '2027-02-28', '2027-02-28'), '2028-02-29')
    expect([...leap.values()]).toEqual(['2027-02-28'])
  })
  it('is its date on every day of ranges that begin on any day of eight years', () => {
    for (let from = '2024-01-01'; from < '2032-01-01'; from = addDays(from, 97)) {
      const to = addDays(from, 399)
      const beside = dated(lastYear(from, addYears(from, -1), addYears(to, -1)), to)
      expect([...beside].filter(([day, other]) => other !== addYears(day, -1))).toEqual([])
    }
  })
  it('is its weekday where a preset keeps weekdays, and the place in the period before', () => {
    for (const range of ranges.filter(keepsWeekdays)) {
      const of = { ...lastYear('2028-02-06', '2027-02-07', '2027-03-06'), range }
      for (const [day, other] of dated(of, '2028-03-04'))
        expect(daysBetween(other ?? '', day)).toBe(364)
    }
    const of = {
      ...lastYear('2028-02-20', '2028-02-10', '2028-02-19'),
      compare: 'previous_period' as const,
    }
    for (const [day, other] of dated(of, '2028-02-29'))
      expect(daysBetween(other ?? '', day)).toBe(10)
  })
  it('is known by the same presets as in the API', () => {
    const api = readFileSync('../functions/KpiDashboard/Kpis/Period.cs', 'utf8')
    const names = /KeepsWeekdays\(string range\) => range is ([^;]+);/.exec(api)?.[1] ?? ''
    expect(ranges.filter(keepsWeekdays).sort()).toEqual(
      [...names.matchAll(/"(\w+)"/g)].map((one) => one[1]).sort(),
    )
  })
})

describe('what stands beside a week or a month', () => {
  it('is the week of last year that has most of its dates, however both are cut', () => {
    for (let from = '2024-01-01'; from < '2030-01-01'; from = addDays(from, 17)) {
      const to = addDays(from, 120)
      const of = lastYear(from, addYears(from, -1), addYears(to, -1))
      const axis = weeks(from, to)
      const { dates } = alongside(
        of,
        axis,
        'week',
        points(weeks(of.compareFrom ?? '', of.compareTo ?? '')),
      )
      // At either end a week may have no partner within the days that are compared.
      for (const [i, day] of axis.slice(1, -1).entries()) {
        const away = daysBetween(addYears(day, -1), dates[i + 1] ?? '')
        expect(Math.abs(away)).toBeLessThanOrEqual(3)
      }
    }
  })
  it('is the same month of last year, and the month so many months before', () => {
    const months = ['2027-12-01', '2028-01-01', '2028-02-01', '2028-03-01']
    const year = lastYear('2027-12-15', '2026-12-15', '2027-03-15')
    const before = ['2026-12-01', '2027-01-01', '2027-02-01', '2027-03-01']
    expect(alongside(year, months, 'month', points(before)).dates).toEqual(before)
    // March has 31 days and the 31 before it begin in January: it stands beside February.
    const march = {
      ...year,
      compare: 'previous_period' as const,
      from: '2027-03-01',
      compareFrom: '2027-01-29',
      compareTo: '2027-02-28',
    }
    const two = points(['2027-01-01', '2027-02-01'])
    expect(alongside(march, ['2027-03-01'], 'month', two).dates).toEqual(['2027-02-01'])
  })
  it('is the one before where few days lie just over an end', () => {
    const of = {
      ...lastYear('2027-12-01', '2027-11-21', '2027-11-30'),
      compare: 'previous_period' as const,
    }
    expect(alongside(of, ['2027-12-01'], 'month', points(['2027-11-01'])).dates).toEqual([
      '2027-11-01',
    ])
  })
  it('is nothing where nothing is compared', () => {
    const none = {
      range: 'custom',
      from: '2028-02-01',
      compare: 'none' as Compare,
      compareFrom: null,
      compareTo: null,
    }
    expect(alongside(none, ['2028-02-01'], 'day', []).values).toEqual([null])
  })

  it('has no total of a week of which a part is missing, and keeps those that the period cuts', () => {
    const of: Compared = {
      range: 'custom',
      from: '2026-11-02',
      compare: 'previous_period',
      compareFrom: '2026-10-12',
      compareTo: '2026-11-01',
    }
    const axis = ['2026-11-02', '2026-11-09', '2026-11-16']
    const weeks = (status: string[]) =>
      ['2026-10-12', '2026-10-19', '2026-10-26'].map((date, i) => ({
        date,
        value: 10 + i,
        status: status[i] ?? 'final',
      }))
    expect(alongside(of, axis, 'week', weeks(['partial', 'partial', 'partial'])).values).toEqual([
      10,
      null,
      12,
    ])
    expect(alongside(of, axis, 'week', weeks([])).values).toEqual([10, 11, 12])
  })
})

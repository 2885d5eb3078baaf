import { describe, expect, it } from 'vitest'
import type { SummaryKpi } from '../../api/types'
import { checkDays } from '../../lib/days'
import { beforeWords } from '../../lib/kpis'
import { usualGrain } from './address'
import { readable } from './parts'
import { goalLine, metricSentence } from './sentence'

const kpi = (over: Partial<SummaryKpi>) =>
  ({
    key: 'web.sessions',
    name: 'Sessions',
    unit: 'count',
    direction: 'up',
    aggregation: 'sum',
    value: 31204,
    previous: 32169,
    change: -0.03,
    changeWithheld: null,
    status: 'final',
    statusReason: null,
    currency: null,
    ...over,
  }) as SummaryKpi
const summary = { currency: 'USD', compare: 'previous_period' as const }
const say = (over: Partial<SummaryKpi>) =>
  metricSentence(kpi(over), summary, 'the 7 days before', 'en-GB')

describe('the sentence of a number', () => {
  it('counts what is counted, and measures the rest', () => {
    expect(say({})).toBe('31,204 sessions, 3% fewer than the 7 days before.')
    expect(
      say({
        key: 'shop.revenue',
        name: 'Revenue',
        unit: 'currency',
        value: 1120,
        previous: 1000,
        change: 0.12,
      }),
    ).toBe('Revenue: $1,120, 12% higher than the 7 days before.')
  })
  it('moves rates in points', () => {
    expect(
      say({
        key: 'web.conversion_rate',
        name: 'Conversion',
        unit: 'ratio',
        value: 0.016,
        previous: 0.014,
        change: 0.14,
      }),
    ).toBe('Conversion: 1.6%, 0.2 percentage points higher than the 7 days before.')
  })
  it('says why there is no percentage, and why there is no value', () => {
    expect(say({ change: null, changeWithheld: 'partial' })).toBe(
      '31,204 sessions. Days of this period have no data, so no change is shown.',
    )
    expect(say({ value: null, statusReason: 'No data in this period.' })).toBe(
      'No data in this period.',
    )
  })
  it('says on which days it compares where some are missing', () => {
    const alike = { days: 5, value: 750, previous: 1000, change: -0.25, byChance: false }
    expect(say({ change: null, changeWithheld: 'partial', alike })).toBe(
      '31,204 sessions; 25% fewer on the 5 days that both periods have.',
    )
    expect(
      say({ change: null, changeWithheld: 'partial', alike: { ...alike, change: 0, value: 1000 } }),
    ).toBe('31,204 sessions; level on the 5 days that both periods have.')
  })
  it('names as many days before as were asked for', () => {
    const own = { range: 'custom', from: '2026-11-01', to: '2026-11-10' }
    const year = { range: 'last_12_months', from: '2025-11-22', to: '2026-11-21' }
    const compare = 'previous_period' as const
    expect(beforeWords({ ...own, compare })).toBe('the 10 days before')
    expect(beforeWords({ ...own, to: own.from, compare })).toBe('the day before')
    expect(beforeWords({ ...year, compare })).toBe('the 12 months before')
  })
  it('says whether last year is the same weekdays or the same dates', () => {
    const last = (range: string, from: string) =>
      beforeWords({ range, from, to: '2026-11-28', compare: 'previous_year' })
    expect(last('last_day', '2026-11-28')).toBe('the same weekday last year')
    expect(last('last_7_days', '2026-11-22')).toBe('the same weekdays last year')
    expect(last('last_28_days', '2026-11-01')).toBe('the same weekdays last year')
    expect(last('last_90_days', '2026-08-31')).toBe('the same days last year')
    expect(last('custom', '2026-11-01')).toBe('the same days last year')
    expect(last('custom', '2026-11-28')).toBe('the same day last year')
  })
})

describe('the line of a goal', () => {
  const month = { target: 30000, from: '2026-11-01', to: '2026-11-30', rhythm: 'month' as const }
  it('asks its share of what adds up', () => {
    expect(goalLine(month, 'sum', ['2026-11-03', '2026-11-04'], 'day')).toEqual({
      values: [1000, 1000],
      share: true,
    })
    expect(goalLine(month, 'sum', ['2026-11-02'], 'week').values).toEqual([7000])
  })
  it('asks the target itself where the point is its period, and of what does not add up', () => {
    expect(goalLine(month, 'sum', ['2026-11-01'], 'month')).toEqual({
      values: [30000],
      share: false,
    })
    expect(goalLine({ ...month, target: 0.02 }, 'ratio', ['2026-11-03'], 'day').values).toEqual([
      0.02,
    ])
  })
})

describe("days of one's own", () => {
  const today = '2026-11-22'
  it('are checked at the field where they can be mended', () => {
    expect(checkDays('2026-11-01', '2026-11-22', today)).toBeNull()
    expect(checkDays('', '2026-11-22', today)).toHaveProperty('from')
    expect(checkDays('2026-11-01', '', today)).toHaveProperty('to')
    expect(checkDays('2026-11-10', '2026-11-01', today)).toHaveProperty('from')
    expect(checkDays('1999-12-31', '2026-11-01', today)).toHaveProperty('from')
    expect(checkDays('2026-11-01', '2026-11-23', today)).toHaveProperty('to')
    expect(checkDays('2024-09-13', '2026-11-22', today)).toHaveProperty('from')
    expect(checkDays('2024-09-14', '2026-11-22', today)).toBeNull()
  })
  it('are drawn as what can be seen', () => {
    expect([28, 120, 121, 366, 401, 800].map(usualGrain)).toEqual([
      'day',
      'day',
      'week',
      'week',
      'month',
      'month',
    ])
  })
})

describe('a request', () => {
  it('is shown with line ends, or as it came', () => {
    expect(readable('{"a":1}')).toBe('{\n  "a": 1\n}')
    expect(readable('limit=250')).toBe('limit=250')
  })
})

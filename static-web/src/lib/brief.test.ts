import { describe, expect, it } from 'vitest'
import type { Freshness, Summary, SummaryKpi } from '../api/types'
import { beyondNoise, makeBrief } from './brief'

const kpi = (over: Partial<SummaryKpi>): SummaryKpi => ({
  key: 'shop.revenue',
  name: 'Revenue',
  description: '',
  unit: 'currency',
  direction: 'up',
  aggregation: 'sum',
  value: 1120,
  previous: 1000,
  change: 0.12,
  changeWithheld: null,
  status: 'final',
  statusReason: null,
  noDataSince: null,
  source: 'google-analytics',
  sparkline: [],
  comparison: [],
  dayStatus: [],
  currency: null,
  ...over,
})
const source = (over: Partial<Freshness>): Freshness => ({
  integrationId: 'i',
  connector: 'google-analytics',
  displayName: 'Google Analytics',
  fetchedAt: '2026-11-22T06:12:00Z',
  completeThrough: '2026-11-21',
  finalThrough: '2026-11-18',
  readFrom: '2025-10-21',
  status: 'ok',
  message: null,
  ...over,
})
const summary = (
  kpis: SummaryKpi[],
  freshness: Freshness[] = [source({})],
  compare: Summary['compare'] = 'previous_period',
): Summary => ({
  range: 'last_7_days',
  from: '2026-11-15',
  to: '2026-11-21',
  compareFrom: '2026-11-08',
  compareTo: '2026-11-14',
  compare,
  timeZone: 'Europe/London',
  currency: 'GBP',
  isDemo: false,
  today: '2026-11-22',
  dates: [],
  kpis,
  freshness,
})
const texts = (s: Summary) => makeBrief(s, 'last_7_days', 'en-GB').map((line) => line.text)

describe('the brief', () => {
  it('leads with the biggest honest mover', () => {
    const small = kpi({
      key: 'web.sessions',
      name: 'Sessions',
      unit: 'count',
      value: 1050,
      previous: 1000,
      change: 0.05,
    })
    expect(texts(summary([small, kpi({})]))[0]).toBe('Revenue is 12% above the 7 days before.')
  })
  it('agrees with a plural name', () => {
    const sessions = kpi({
      key: 'web.sessions',
      name: 'Sessions',
      unit: 'count',
      value: 800,
      previous: 1000,
      change: -0.2,
    })
    expect(texts(summary([sessions]))[0]).toBe('Sessions are 20% below the 7 days before.')
  })
  it('does not let a mover speak whose change is withheld', () => {
    const withheld = kpi({ change: null, changeWithheld: 'partial', status: 'partial' })
    expect(texts(summary([withheld]))[0]).toBe(
      'No fair comparison with the 7 days before: days are missing.',
    )
  })
  it('claims quiet only when most of what is shown can be compared', () => {
    const level = kpi({ value: 1001, change: 0.001 })
    const withheld = (key: string) => kpi({ key, change: null, changeWithheld: 'partial' })
    expect(texts(summary([level]))[0]).toContain('No headline number moved')
    expect(texts(summary([level, withheld('a'), withheld('b')]))[0]).toContain('No fair comparison')
  })
  it('tells the other side too', () => {
    const down = kpi({
      key: 'web.sessions',
      name: 'Sessions',
      unit: 'count',
      value: 900,
      previous: 1000,
      change: -0.1,
    })
    expect(texts(summary([kpi({}), down]))).toEqual([
      'Revenue is 12% above the 7 days before.',
      'Sessions are 10% below the 7 days before.',
    ])
  })
  it('says until when the numbers are complete', () => {
    const lines = texts(summary([kpi({})], [source({ completeThrough: '2026-11-20' })]))
    expect(lines[1]).toMatch(
      /^Complete through Fri,? 20 Nov\. The days after that have no data yet\.$/,
    )
  })
  it('says since when a source has been silent, once three days are not complete', () => {
    const through = (completeThrough: string) =>
      makeBrief(summary([kpi({})], [source({ completeThrough })]), 'last_7_days', 'en-GB')[1]
    expect(through('2026-11-14')?.text).toMatch(/^No Google Analytics data since Sun,? 15 Nov\.$/)
    expect(through('2026-11-14')?.tone).toBe('attention')
    expect(through('2026-11-19')?.text).toMatch(/^No Google Analytics data since Fri,? 20 Nov\.$/)
    expect(through('2026-11-20')?.text).not.toContain('since')
    expect(through('2026-11-21')).toBeUndefined()
  })
  it('says it also when the period asked for ends before the silence', () => {
    const week = summary([kpi({})], [source({ completeThrough: '2026-11-14' })])
    expect(texts({ ...week, from: '2026-11-08', to: '2026-11-14' })[1]).toContain(
      'No Google Analytics data since',
    )
  })
  it('puts what is broken before what merely moved, after the lead', () => {
    const down = kpi({
      key: 'web.sessions',
      name: 'Sessions',
      unit: 'count',
      value: 900,
      previous: 1000,
      change: -0.1,
    })
    const broken = source({
      status: 'reconnect_needed',
      message: 'Google sign-in expired on Tuesday.',
    })
    expect(texts(summary([kpi({}), down], [broken]))[1]).toBe('Google sign-in expired on Tuesday.')
  })
  it('compares nothing when asked to compare nothing', () => {
    expect(texts(summary([kpi({})], [source({})], 'none')).join(' ')).not.toMatch(/above|below|%/)
  })
  it('is the same for the same numbers', () => {
    const s = summary([kpi({}), kpi({ key: 'b', name: 'B' })])
    expect(makeBrief(s, 'last_7_days')).toEqual(makeBrief(structuredClone(s), 'last_7_days'))
  })
})

it('takes one run more or less for the noise it is', () => {
  expect(beyondNoise(kpi({ unit: 'count', value: 3, previous: 1 }))).toBe(false)
  expect(beyondNoise(kpi({ unit: 'count', value: 1200, previous: 1000 }))).toBe(true)
})

import { describe, expect, it } from 'vitest'
import type { Breakdown, BreakdownMember } from '../api/types'
import {
  boundOf,
  driverOf,
  driverWords,
  isIdle,
  lengthsOf,
  memberName,
  notesOn,
  withDriver,
} from './breakdown'

const member = (name: string, value: number | null, previous: number | null, over = {}) =>
  ({
    name,
    value,
    previous,
    change: null,
    changeWithheld: null,
    share: null,
    status: 'final',
    ...over,
  }) as BreakdownMember

const divided = (members: BreakdownMember[], value: number, previous: number, over = {}) =>
  ({
    aggregation: 'sum',
    value,
    previous,
    change: (value - previous) / previous,
    members,
    rest: null,
    restWithheld: null,
    status: 'final',
    from: '2026-11-14',
    to: '2026-11-20',
    since: '2025-10-01',
    daysWithout: 0,
    rowsWithheld: false,
    perDay: 50,
    ...over,
  }) as Breakdown

describe('what a change rests on', () => {
  it('is mostly what makes half of it or more', () => {
    const driver = driverOf(
      divided(
        [member('Organic Search', 14160, 15000), member('Direct', 9000, 9100)],
        31204,
        32169,
        {},
      ),
    )
    expect(driver).toEqual({ kind: 'mostly', name: 'Organic Search', difference: -840 })
    expect(
      withDriver(
        '31,204 sessions, 3% fewer than the 7 days before.',
        driver && driverWords(driver, { unit: 'count', locale: 'en-GB' }),
      ),
    ).toBe('31,204 sessions, 3% fewer than the 7 days before; mostly Organic Search, −840.')
  })
  it('is spread where no channel makes half of it', () => {
    const driver = driverOf(
      divided([member('A', 130, 100), member('B', 125, 100), member('C', 120, 100)], 375, 300),
    )
    expect(driver).toEqual({ kind: 'spread', name: 'A', difference: 30 })
    expect(driver && driverWords(driver, { unit: 'count' })).toBe(
      'spread over several channels, A most with +30',
    )
  })
  it('goes with the change: what moved against it is not behind it', () => {
    expect(driverOf(divided([member('A', 100, 300), member('B', 500, 250)], 600, 550))).toEqual({
      kind: 'mostly',
      name: 'B',
      difference: 250,
    })
  })
  it('cannot be told where the rest, or what Google does not know, moved as much', () => {
    expect(driverOf(divided([member('A', 110, 100)], 220, 200))).toEqual({ kind: 'unknown' })
    expect(driverOf(divided([member('(data not available)', 220, 200)], 220, 200))).toEqual({
      kind: 'unknown',
    })
    // A lower bound is no number to subtract with.
    expect(driverOf(divided([member('A', 220, 200, { status: 'partial' })], 220, 200))).toEqual({
      kind: 'unknown',
    })
  })
  it('is not asked where nothing moved, nothing can be compared, or rates moved', () => {
    expect(driverOf(divided([member('A', 10000, 10001)], 10000, 10001))).toBeNull()
    expect(driverOf(divided([member('A', 2, 1)], 2, 1, { change: null }))).toBeNull()
    expect(driverOf(divided([member('A', 2, 1)], 2, 1, { aggregation: 'ratio' }))).toBeNull()
  })
})

describe('what is said of breakdowns', () => {
  it('tells from which day on they are known, and how many days that makes', () => {
    expect(
      notesOn(
        [divided([], 1, 1, { since: '2026-11-18', daysWithout: 4, status: 'partial' })],
        'en-GB',
      ),
    ).toEqual([expect.stringMatching(/^Known since Wed,? 18 Nov 2026: earlier days/)])
  })
  it('tells each thing once', () => {
    const one = divided([member('A', 1, 1, { status: 'partial' })], 1, 1, {
      rowsWithheld: true,
      rest: { value: 1, share: 0.1, members: 0 },
    })
    expect(notesOn([one, one])).toHaveLength(2)
  })
  it('is quiet where all is known', () => {
    expect(notesOn([divided([member('A', 1, 1)], 1, 1)])).toEqual([])
  })
})

it('draws shares of what adds up, and rates beside the greatest', () => {
  expect(lengthsOf(divided([member('A', 1, 1, { share: 0.25 })], 4, 4))).toEqual([0.25])
  expect(
    lengthsOf(
      divided([member('A', 0.02, null), member('B', 0.04, null)], 0.03, 0.03, {
        aggregation: 'ratio',
      }),
    ),
  ).toEqual([0.5, 1])
})

it('names what Google names for machines', () => {
  expect(memberName('device', 'mobile')).toBe('Mobile')
  expect(memberName('country', '(not set)')).toBe('Not known')
  expect(memberName('landing_page', '/')).toBe('Home page (/)')
  expect(memberName('landing_page', '/shop')).toBe('/shop')
})

it('reads what was not told apart on some days as a bound', () => {
  const some = member('/a', 7, 9, { status: 'partial' })
  const one = divided([some], 20, 20)
  expect(boundOf(some, false, one)).toBe('≥')
  expect(boundOf(some, true, one)).toBe('≤')
  expect(boundOf(some, false, { ...one, aggregation: 'ratio' })).toBe('≈')
  expect(boundOf(member('/b', 7, 9), false, one)).toBeNull()
  // Where the whole is of some days only, its parts are as exact as it is.
  expect(boundOf(some, false, { ...one, status: 'partial' })).toBeNull()
})

it('spends no line on what had nothing then and now', () => {
  const one = divided([], 20, 20)
  expect(isIdle(member('a', 0, 0), one)).toBe(true)
  expect(isIdle(member('a', 0, 3), one)).toBe(false)
  expect(isIdle(member('a', 0, 0), { ...one, aggregation: 'ratio' })).toBe(false)
})

import { describe, expect, it } from 'vitest'
import { messages } from '../messages'
import { describeChange } from './change'

const kpi = {
  key: 'web.sessions',
  value: 1120,
  previous: 1000,
  change: 0.12,
  changeWithheld: null,
  unit: 'count',
  direction: 'up',
} as const
const before = 'the 28 days before'
const say = (over: object) =>
  describeChange({ ...kpi, ...over }, before, 'previous_period', 'en-GB')

describe('a change in words', () => {
  it('says by how much, against what, and whether that is good', () => {
    expect(say({})).toEqual({
      sign: 1,
      tone: 'good',
      text: '12%',
      spoken: 'up 12% on the 28 days before, for the better',
    })
  })
  it('is bad when a number that should fall rises', () => {
    expect(say({ direction: 'down' })?.tone).toBe('bad')
    expect(say({ direction: 'down', change: -0.12, value: 880 })?.tone).toBe('good')
  })
  it('is neither where chance alone does as much', () => {
    expect(say({ value: 5, previous: 3, change: 0.667 })?.tone).toBe('plain')
    expect(say({ value: 50_000, previous: 40_000, change: 0.25 })?.tone).toBe('good')
  })
  describe('of money, rates and times, by the spread of the days', () => {
    const week = [80, 120, 90, 150, 60, 200, 40]
    const over = (sparkline: number[], comparison: number[], more: object = {}) =>
      say({
        unit: 'currency',
        aggregation: 'sum',
        sparkline,
        comparison,
        value: 640,
        previous: 740,
        change: -0.135,
        ...more,
      })?.tone
    it.each([
      ['one large order less is chance', [...week.slice(0, 5), 100, 40], week, 'plain'],
      ['every day a little less is not', week.map((day) => day * 0.85), week, 'bad'],
      ['the same days in another order are chance', [...week].reverse(), week, 'plain'],
      [
        'four weeks that each fell',
        [...week, ...week, ...week, ...week].map((day, i) => day * (0.8 + (i % 3) / 50)),
        [...week, ...week, ...week, ...week],
        'bad',
      ],
      ['a single day has no spread', [640], [740], 'bad'],
      ['every day the same much less', week.map((day) => day - 10), week, 'bad'],
    ])('%s', (_, now, before, tone) => {
      expect(over(now, before)).toBe(tone)
    })
    it('is the same rule for rates and times, and none for what is no sum of its days', () => {
      const [now, then] = [[...week.slice(0, 5), 100, 40], week]
      expect(
        over(now, then, {
          unit: 'ratio',
          aggregation: 'ratio',
          value: 0.018,
          previous: 0.024,
          change: -0.25,
        }),
      ).toBe('plain')
      expect(over(now, then, { unit: 'minutes' })).toBe('plain')
      expect(over(now, then, { unit: 'currency', aggregation: 'last' })).toBe('bad')
    })
    it('passes over days that one of the two lacks', () => {
      const now = week.map((day, i) => (i === 5 ? null : day * 0.85))
      expect(
        say({
          unit: 'currency',
          aggregation: 'sum',
          sparkline: now,
          comparison: week,
          value: 500,
          previous: 740,
          change: -0.3,
        })?.tone,
      ).toBe('bad')
    })
  })
  it('compares the weekdays that both have where days are missing, and says how many', () => {
    const change = say({
      change: null,
      changeWithheld: 'partial',
      alike: { days: 23, value: 750, previous: 1000, change: -0.25 },
    })
    expect(change).toEqual({
      sign: -1,
      tone: 'bad',
      text: '25% · 23\u00a0days',
      spoken:
        'down 25% on the same weekdays of the 28 days before, over the 23 days that both have, for the worse',
    })
    expect(say({ change: null, changeWithheld: 'partial', alike: null })?.text).toBe('Days missing')
  })
  it('takes no side when the direction is neutral', () => {
    expect(say({ direction: 'neutral' })).toMatchObject({
      tone: 'plain',
      spoken: 'up 12% on the 28 days before',
    })
  })
  it('gives ratios in percentage points, not in per cent of per cent', () => {
    const change = say({ unit: 'ratio', value: 0.018, previous: 0.016, change: 0.125 })
    expect(change?.text).toBe('0.2\u00a0pt')
    expect(change?.sign).toBe(1)
  })
  it('reads a return as a multiple, so its change is in per cent', () => {
    const change = say({
      key: 'automation.roi',
      unit: 'ratio',
      value: 15,
      previous: 10,
      change: 0.5,
    })
    expect(change?.text).toBe('50%')
  })
  it('calls it no change when nothing would be printed', () => {
    expect(say({ change: 0.0004, value: 100.04 })).toMatchObject({
      sign: 0,
      tone: 'plain',
      text: 'No change',
    })
  })
  it('is absent when nothing is compared', () => {
    expect(describeChange(kpi, before, 'none')).toBeNull()
  })
})

describe('a withheld change', () => {
  it.each([
    'partial',
    'previous_partial',
    'no_previous',
    'zero_previous',
    'not_measurable',
  ] as const)('says why: %s', (why) => {
    const change = say({ change: null, changeWithheld: why })
    expect(change).toEqual({
      sign: null,
      tone: 'plain',
      text: messages.withheld[why].short,
      spoken: messages.withheld[why].long,
    })
    expect(change?.text).not.toMatch(/\d%/)
  })
})

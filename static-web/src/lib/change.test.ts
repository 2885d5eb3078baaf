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
    expect(say({ byChance: true })).toMatchObject({
      sign: 1,
      tone: 'plain',
      spoken: 'up 12% on the 28 days before',
    })
    expect(say({ byChance: false })?.tone).toBe('good')
  })
  it('compares the weekdays that both have where days are missing, and says how many', () => {
    const change = say({
      change: null,
      changeWithheld: 'partial',
      alike: { days: 23, value: 750, previous: 1000, change: -0.25, byChance: false },
    })
    expect(change).toEqual({
      sign: -1,
      tone: 'bad',
      text: '25% · 23\u00a0days',
      spoken:
        'down 25% on the same weekdays of the 28 days before, over the 23 days that both have, for the worse',
    })
    expect(
      say({
        change: null,
        changeWithheld: 'partial',
        alike: { days: 84, value: 1000, previous: 1000, change: 0, byChance: true },
      }),
    ).toMatchObject({ tone: 'plain', text: 'No change · 84\u00a0days' })
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

const sources = import.meta.glob<string>(['../**/*.ts', '../**/*.tsx', '!../**/*.test.*'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

it('is described and coloured here, and by no page for itself', () => {
  const others = Object.entries(sources).filter(([path]) => path !== './change.ts')
  expect(others.length).toBeGreaterThan(150)
  const own = others.filter(
    ([path, text]) =>
      !path.endsWith('/messages.ts') &&
      (text.includes('changeSpoken(') ||
        (text.includes('<ChangeText') && !/describeChange\(|change: Change \}/.test(text)) ||
        /<ChangeText\s+change=\{\{/.test(text)),
  )
  expect(own.map(([path]) => path)).toEqual([])
  // Names of numbers (not of businesses, nor of values of a dimension) stand whole: a hint that a finger cannot reach is no way to read one.
  const cut = others.filter(([, text]) =>
    /truncate[^<>]*>\s*\{(kpi|one\.kpi|fact)?\.?name\}|line-clamp[^<>]*>\s*\{one\.name\}/.test(
      text,
    ),
  )
  expect(cut.map(([path]) => path).filter((path) => !/businesses|panels|Bars/.test(path))).toEqual(
    [],
  )
})

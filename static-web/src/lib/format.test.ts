import { describe, expect, it } from 'vitest'
import {
  formatNumber,
  formatPace,
  formatPercent,
  formatPoints,
  type Precision,
  type ShownUnit,
} from './format'
import { formatApart, formatAxis } from './formatApart'

const say = (
  value: number,
  unit: ShownUnit,
  precision: Precision = 'card',
  locale = 'en-GB',
  currency = 'USD',
) => formatNumber(value, { unit, locale, currency }, precision).replaceAll('\u00a0', ' ')

describe('a number in a card', () => {
  it.each([
    [0, 'count', '0'],
    [583, 'count', '583'],
    [9999, 'count', '9,999'],
    [31_204, 'count', '31.2k'],
    [1_234_567, 'count', '1.23m'],
    [28_410, 'currency', '$28.41k'],
    [1640, 'currency', '$1,640'],
    [49.918, 'currency', '$49.92'],
    [0.0163, 'ratio', '1.63%'],
    [0.4567, 'ratio', '45.7%'],
    [1, 'ratio', '100%'],
    [4.128, 'number', '4.13'],
    [71.6, 'score', '72'],
    [15.58, 'times', '15.6×'],
  ] as const)('%s as %s is %s', (value, unit, shown) => {
    expect(say(value, unit)).toBe(shown)
  })

  it('keeps at most four significant figures whatever the size', () => {
    for (const unit of ['count', 'currency', 'number'] as const)
      for (let value = 1.23456789; value < 1e12; value *= 7.3) {
        const digits = say(value, unit).replace(/[^\d]/g, '').replace(/^0+/, '')
        expect(digits.length, `${value} as ${unit}: ${say(value, unit)}`).toBeLessThanOrEqual(4)
      }
  })

  it.each([
    [0.4, 'seconds', '0.4 s'],
    [59.4, 'seconds', '59 s'],
    [59.6, 'seconds', '60 s'],
    [192, 'seconds', '3 min 12 s'],
    [180, 'seconds', '3 min'],
    [7260, 'seconds', '2 h 1 min'],
    [840, 'milliseconds', '840 ms'],
    [2840, 'milliseconds', '2.8 s'],
    [35, 'minutes', '35 min'],
    [2460, 'minutes', '41 h'],
    [250, 'minutes', '4.2 h'],
  ] as const)('time: %s %s is %s', (value, unit, shown) => {
    expect(say(value, unit)).toBe(shown)
  })
})

describe('the exact number', () => {
  it.each([
    [31_204, 'count', '31,204'],
    [28_410.5, 'currency', '$28,410.50'],
    [0.016342, 'ratio', '1.634%'],
    [2474, 'minutes', '41 h 14 min'],
    [2847, 'milliseconds', '2.847 s'],
  ] as const)('%s as %s is %s', (value, unit, shown) => {
    expect(say(value, unit, 'exact')).toBe(shown)
  })
})

it("follows the viewer's locale and the tenant's currency", () => {
  expect(say(1234.5, 'currency', 'exact', 'de-DE', 'EUR')).toBe('1.234,50 €')
  expect(say(0.456, 'ratio', 'card', 'de-DE')).toBe('45,6 %')
  expect(say(1234, 'currency', 'card', 'en-GB', 'GBP')).toBe('£1,234')
})

it('writes changes without a sign', () => {
  expect(formatPercent(-0.1234, 'en-GB')).toBe('12%')
  expect([0.864, 0.9995, 1, 1.0002, 1.04].map((pace) => formatPace(pace, 'en-GB'))).toEqual([
    '86%',
    '99.95%',
    '100%',
    '100.02%',
    '104%',
  ])
  expect(formatPercent(0.052, 'en-GB')).toBe('5.2%')
  expect(formatPoints(-0.0021, 'en-GB')).toBe('0.2')
})

it('keeps axis labels short', () => {
  expect(formatAxis(0, { unit: 'currency', currency: 'USD', locale: 'en-GB' })).toBe('$0')
  expect(formatAxis(1500, { unit: 'currency', currency: 'USD', locale: 'en-US' })).toBe('$1.5K')
  expect(formatAxis(1_200_000, { unit: 'count', locale: 'en-US' })).toBe('1.2M')
})

describe('money', () => {
  it.each([
    [85, 'JPY', '¥85'],
    [85, 'KRW', '₩85'],
    [85, 'KWD', 'KWD 85.000'],
    [85, 'IQD', 'IQD 85.000'],
    [85, 'EUR', '€85.00'],
    [1.5, 'ISK', 'kr 2'],
  ])('%d %s has the decimals of its currency: %s', (value, currency, shown) => {
    for (const precision of ['card', 'table', 'exact'] as const)
      expect(say(value, 'currency', precision, 'en-GB', currency)).toBe(shown)
  })

  it.each(['(not set)', '', 'EURO', '€', 'E1R', '\ud83d', '\0', 'null'])(
    'never throws at %j, which is no currency',
    (currency) => {
      for (const precision of ['card', 'table', 'exact'] as const)
        expect(say(85, 'currency', precision, 'en-GB', currency)).toBe('85.00')
      expect(formatAxis(85, { unit: 'currency', currency, locale: 'en-GB' })).toBe('85')
      expect(formatApart([85, 85.001], { unit: 'currency', currency, locale: 'en-GB' })).toEqual([
        '85.00',
        '85.001',
      ])
    },
  )
})

describe('numbers that are compared', () => {
  const apart = (
    values: number[],
    unit: ShownUnit,
    precision: Precision = 'card',
    currency = 'EUR',
  ) =>
    formatApart(values, { unit, currency, locale: 'en-GB' }, precision).map((shown) =>
      shown.replaceAll('\u00a0', ' '),
    )
  it.each<[number[], ShownUnit, string[]]>([
    [[412.2, 412.4], 'count', ['412.2', '412.4']],
    [[412, 412], 'count', ['412', '412']],
    [[0.9985, 0.999], 'ratio', ['99.85%', '99.9%']],
    [[31_204, 31_203], 'count', ['31,204', '31,203']],
    [[1000.4, 1000.3], 'currency', ['€1,000.40', '€1,000.30']],
    [[1000.0004, 1000.0003], 'currency', ['€1,000.0004', '€1,000.0003']],
    [[3601, 3601.4], 'seconds', ['3,601 s', '3,601.4 s']],
    [[120, 120.2], 'minutes', ['120 min', '120.2 min']],
  ])('%j of %s are told apart: %j', (values, unit, shown) => {
    expect(apart(values, unit)).toEqual(shown)
  })

  it('never look alike when they differ, in any unit', () => {
    const units: ShownUnit[] = [
      'count',
      'currency',
      'ratio',
      'number',
      'seconds',
      'milliseconds',
      'minutes',
      'score',
      'times',
    ]
    for (const unit of units)
      for (const size of [0.01, 0.5, 9, 99.4, 3600, 12_345, 1_234_567])
        for (const by of [1e-6, 1e-4, 0.01, 0.4, 1])
          for (const precision of ['card', 'table', 'exact'] as const) {
            const shown = apart([size, size + by], unit, precision)
            expect(new Set(shown).size, `${unit} ${size} + ${by}: ${shown.join(' ')}`).toBe(2)
          }
  })
})

import { expect, test } from 'vitest'
import type { Summary } from '../../api/types'
import { automationFigures, returnInWords } from './automation'

const summary = (worth: number, roi: number) =>
  ({
    from: '2026-09-01',
    to: '2026-11-29',
    compare: 'none',
    currency: 'EUR',
    kpis: [
      { key: 'automation.time_saved', value: 6423 },
      { key: 'automation.value_saved', value: worth },
      { key: 'automation.roi', value: roi },
    ],
  }) as unknown as Summary

test('the cost is told to the cent, whatever the rounding of the return', () => {
  for (const cost of [133.5, 56, 2, 10.5, 720, 54.19])
    for (const worth of [4068.2, 61.33, 30462.4]) {
      const roi = Math.round(((worth - cost) / cost) * 1e6) / 1e6
      expect(automationFigures(summary(worth, roi), null)?.cost).toBe(cost)
    }
})

test.each([
  // Short where that holds on a calculator.
  [2127.47, 56, '($2,127 worth − $56.00 cost) ÷ $56.00 = 37×'],
  // (4,068 − 134) ÷ 134 would be 29.4.
  [4068.2, 133.5, '($4,068 worth − $133.50 cost) ÷ $133.50 = 29.5×'],
  // With 30.46k nobody can reckon.
  [30462, 720, '($30,462 worth − $720.00 cost) ÷ $720.00 = 41.3×'],
])('%d for %d: %s', (worth, cost, words) => {
  expect(
    returnInWords(worth, cost, (worth - cost) / cost, 'USD', 'en-GB').replaceAll('US', ''),
  ).toBe(words)
})

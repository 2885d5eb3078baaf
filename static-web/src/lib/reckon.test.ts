import { describe, expect, it } from 'vitest'
import { automationSentence } from './automation'
import { formatNumber } from './format'
import { agrees, readNumber, returnOf } from './reckon'

describe('numbers as they are shown', () => {
  it.each(['en-US', 'de-DE', 'fr-FR', 'de-CH', 'ar', 'hi-IN'])('are read again in %s', (locale) => {
    for (const value of [0.5, 7.4, 56, 99.99, 1640, 12_345.67, -31.5]) {
      const shown = formatNumber(value, { unit: 'currency', currency: 'EUR', locale }, 'exact')
      expect(readNumber(shown, locale)).toEqual({ value, decimals: 2 })
    }
  })
  it('cannot be reckoned with when shortened', () => {
    expect(readNumber('$110.6K', 'en-US')).toBeNull()
    expect(agrees('38.5×', ['$110.6K', '$56.00'], returnOf, 'en-US')).toBe(false)
  })
})

describe('the return of the automations', () => {
  it('is what the printed worth and cost give, or says about', () => {
    let about = 0
    for (let i = 1; i <= 400; i++) {
      const cost = Math.round(((i * 7919) % 90_000) + 30) / 100
      const worth = Math.round(((i * 104_729) % 900_000) + 1000) / 100
      const totals = { timeSavedMinutes: 600, valueSaved: worth, cost, roi: returnOf(worth, cost) }
      const said = automationSentence(
        {
          range: 'last_28_days',
          from: '2026-10-25',
          to: '2026-11-21',
          currency: 'USD',
          totals,
        } as never,
        'en-US',
      )
      const found =
        /return of (about )?(-?[\d,.]+)×.*\(\$([\d,.]+) − \$([\d,.]+)\) ÷ \$([\d,.]+)\./.exec(said)
      expect(found, said).not.toBeNull()
      const [, hedge, roi = '', a = '', b = '', c = ''] = found ?? []
      expect(b).toBe(c)
      const number = (text: string) => Number(text.replaceAll(',', ''))
      const decimals = roi.split('.')[1]?.length ?? 0
      const off = Math.abs(returnOf(number(a), number(b)) - number(roi))
      if (hedge) about++
      else expect(off, said).toBeLessThanOrEqual(0.5 / 10 ** decimals + 1e-9)
    }
    expect(about).toBeLessThan(300)
  })
})

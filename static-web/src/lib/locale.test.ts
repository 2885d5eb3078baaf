import { describe, expect, it } from 'vitest'
import { formatNumber } from './format'
import { formatAxis } from './formatApart'
import { shownLocale } from './locale'

const written = (tag: string, value: number, unit: 'count' | 'currency' = 'count') =>
  formatNumber(value, { unit, currency: 'EUR', locale: shownLocale(tag) })

describe('the locale that is shown', () => {
  it.each([
    ['de-DE', '110.556'],
    ['de-DE', '12.345'],
    ['fr-FR', '111\u00a0k'],
    ['en-US', '111K'],
    ['pt-BR', '111\u00a0mil'],
    ['ar-EG', '111K'],
    ['hi-IN', '1.11L'],
    ['ja-JP', '111K'],
    ['th-TH', '111K'],
    ['fa-IR', '111K'],
  ])('shortens in %s only where there is a sign for it', (tag, expected) => {
    const value = expected === '12.345' ? 12_345 : 110_556
    expect(written(tag, value).replaceAll('\u202f', '\u00a0')).toBe(expected)
  })

  it('keeps what is shortened apart from what is exact', () => {
    for (const tag of ['de-DE', 'es-ES', 'it-IT', 'de-CH', 'fr-FR', 'sv-SE', 'tr-TR', 'en-IN'])
      for (const value of [10_000, 12_345, 99_999, 110_556, 1_234_567, 45_678_901]) {
        const shown = written(tag, value)
        const exact = formatNumber(value, { unit: 'count', locale: shownLocale(tag) }, 'exact')
        // Without letters every digit stands for itself.
        if (!/\p{L}/u.test(shown)) expect(shown).toBe(exact)
      }
  })

  it.each([
    'de-DE',
    'ar',
    'ar-SA',
    'fa-IR',
    'hi-IN',
    'bn-BD',
    'my-MM',
    'ja-JP',
    'th-TH',
    'he-IL',
    'de-u-nu-arab',
  ])('has no digit and no direction of another script in %s', (tag) => {
    for (const unit of ['count', 'currency'] as const)
      expect(written(tag, 1_234_567, unit)).not.toMatch(/[^\P{Nd}0-9]|[\u200e\u200f\u061c]/u)
  })

  it('writes axes by the same rule', () => {
    expect(formatAxis(150_000, { unit: 'count', locale: 'de-DE' })).toBe('150.000')
    expect(formatAxis(150_000, { unit: 'count', locale: 'en-US' })).toBe('150K')
    expect(formatAxis(2_500_000, { unit: 'count', locale: 'de-DE' })).toBe('2,5\u00a0Mio.')
  })

  it('takes no harm of what is no language tag', () => {
    for (const tag of ['', 'C', 'x', 'not a tag', undefined])
      expect(() => shownLocale(tag)).not.toThrow()
  })
})

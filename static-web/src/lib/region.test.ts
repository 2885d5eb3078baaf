import { describe, expect, it } from 'vitest'
import { currencies, currencyOf, placeOf, timeZoneHere, timeZones } from './region'

describe('the guessed currency', () => {
  it.each([
    ['Europe/Berlin', 'en-US', 'EUR'],
    ['Europe/London', 'en-US', 'GBP'],
    ['Europe/Zurich', 'de-DE', 'CHF'],
    ['Europe/Warsaw', 'en-GB', 'PLN'],
    ['America/Los_Angeles', 'de-DE', 'USD'],
    ['America/Toronto', 'en-US', 'CAD'],
    ['Asia/Tokyo', 'en-US', 'JPY'],
    ['Australia/Sydney', 'en-US', 'AUD'],
    ['Pacific/Auckland', 'en-GB', 'NZD'],
    ['UTC', 'de-DE', 'EUR'],
    ['Mars/Base', 'en-GB', 'GBP'],
  ])('in %s with %s is %s', (zone, locale, currency) => {
    expect(currencyOf(zone, locale)).toBe(currency)
  })

  it.each([
    ['de-DE', 'EUR'],
    ['de', 'EUR'],
    ['en-GB', 'GBP'],
    ['en-US', 'USD'],
    ['de-CH', 'CHF'],
    ['pt-BR', 'BRL'],
    ['ja', 'JPY'],
    ['xx', 'USD'],
    ['not a locale', 'USD'],
  ])('of %s is %s', (locale, currency) => {
    expect(currencyOf('UTC', locale)).toBe(currency)
  })

  it('is always one that can be chosen', () => {
    const known = new Set(Intl.supportedValuesOf('currency'))
    for (const region of ['AT', 'CA', 'IN', 'MX', 'NO', 'PL', 'SE', 'TR', 'ZA', 'NZ'])
      expect(known).toContain(currencyOf('UTC', `en-${region}`))
  })
})

it('offers the chosen zone and currency even where the browser does not list them', () => {
  expect(timeZones('Mars/Base')).toContain('Mars/Base')
  expect(timeZones(timeZoneHere())).toContain(timeZoneHere())
  expect(currencies('ZZZ', 'en-GB').find(({ code }) => code === 'ZZZ')?.name).toBe('ZZZ')
  expect(currencies('EUR', 'en-GB').find(({ code }) => code === 'EUR')?.name).toBe('EUR, Euro')
})

it('names a zone as people do', () => {
  expect(placeOf('America/Argentina/Buenos_Aires')).toBe('Buenos Aires')
  expect(placeOf('UTC')).toBe('UTC')
})

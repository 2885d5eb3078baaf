import { describe, expect, it } from 'vitest'
import { currencyChoices, localeChoices, timeZoneChoices } from './regions'

const values = (choices: { value: string }[]) => choices.map((choice) => choice.value)

describe('choices', () => {
  it('offers currencies in use, not former ones or metals', () => {
    const codes = values(currencyChoices('EUR', 'en-GB'))
    expect(codes).toEqual(expect.arrayContaining(['EUR', 'USD', 'NZD', 'XOF']))
    for (const gone of ['DEM', 'XAU']) expect(codes).not.toContain(gone)
  })
  it('keeps what is chosen, even where it would not be offered', () => {
    expect(values(currencyChoices('DEM', 'en-GB'))).toContain('DEM')
    expect(values(localeChoices('mi-NZ', 'en-GB'))).toContain('mi-NZ')
    expect(values(timeZoneChoices('Etc/GMT+5', new Date()))).toContain('Etc/GMT+5')
  })
  it('says how far a time zone is from UTC now', () => {
    const found = timeZoneChoices('UTC', new Date('2026-11-22T12:00:00Z')).find(
      (choice) => choice.value === 'Europe/Berlin',
    )
    expect(found?.hint).toBe('GMT+1')
  })
})

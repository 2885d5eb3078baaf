import type { Choice } from './Combo'

const offset = (timeZone: string, now: Date) =>
  new Intl.DateTimeFormat('en-GB', { timeZone, timeZoneName: 'shortOffset' })
    .formatToParts(now)
    .find((part) => part.type === 'timeZoneName')?.value ?? ''

/** A value that the list lacks is in it all the same. */
const withChosen = (choices: Choice[], chosen: string) =>
  choices.some((choice) => choice.value === chosen) || !chosen
    ? choices
    : [{ value: chosen, label: chosen }, ...choices]

/** Every time zone of the browser, with its distance from UTC now. */
export function timeZoneChoices(chosen: string, now: Date): Choice[] {
  const zones = ['UTC', ...Intl.supportedValuesOf('timeZone').filter((zone) => zone !== 'UTC')]
  return withChosen(
    zones.map((zone) => ({
      value: zone,
      label: zone.replaceAll('_', ' '),
      hint: offset(zone, now),
    })),
    chosen,
  )
}

/** The currencies in use: names of former ones carry their years, and codes with X are metals and units of account, but for five. */
export function currencyChoices(chosen: string, locale?: string): Choice[] {
  const names = new Intl.DisplayNames(locale, { type: 'currency' })
  const english = new Intl.DisplayNames('en', { type: 'currency' })
  return withChosen(
    Intl.supportedValuesOf('currency')
      .filter((code) => !/\d{4}/.test(english.of(code) ?? ''))
      .filter((code) => !code.startsWith('X') || ['XAF', 'XCD', 'XCG', 'XOF', 'XPF'].includes(code))
      .map((code) => ({ value: code, label: `${code} · ${names.of(code) ?? code}` })),
    chosen,
  )
}

const locales = (
  'ar-AE ar-EG bg-BG ca-ES cs-CZ da-DK de-AT de-CH de-DE el-GR en-AU en-CA en-GB en-IE en-IN en-NZ en-US en-ZA es-AR es-ES es-MX es-US ' +
  'et-EE fi-FI fr-BE fr-CA fr-CH fr-FR he-IL hi-IN hr-HR hu-HU id-ID it-CH it-IT ja-JP ko-KR lt-LT lv-LV nb-NO nl-BE nl-NL pl-PL pt-BR pt-PT ro-RO ' +
  'ru-RU sk-SK sl-SI sr-RS sv-SE th-TH tr-TR uk-UA vi-VN zh-CN zh-TW'
).split(' ')

/** Languages with a region, and how a number looks in each. */
export function localeChoices(chosen: string, locale?: string): Choice[] {
  const names = new Intl.DisplayNames(locale, { type: 'language' })
  return withChosen(
    locales
      .map((code) => ({
        value: code,
        label: names.of(code) ?? code,
        hint: new Intl.NumberFormat(code, { minimumFractionDigits: 2 }).format(1234.5),
      }))
      .sort((a, b) => a.label.localeCompare(b.label)),
    chosen,
  )
}

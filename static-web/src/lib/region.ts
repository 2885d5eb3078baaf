// Guesses for a new business, each of which can be changed: time zone and currency.
const euro = 'AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK AD MC SM VA ME XK BG'
const others: Readonly<Record<string, string>> = {
  AED: 'AE',
  ARS: 'AR',
  AUD: 'AU',
  BRL: 'BR',
  CAD: 'CA',
  CHF: 'CH LI',
  CLP: 'CL',
  CNY: 'CN',
  COP: 'CO',
  CZK: 'CZ',
  DKK: 'DK GL FO',
  EGP: 'EG',
  GBP: 'GB IM JE GG',
  HKD: 'HK',
  HUF: 'HU',
  IDR: 'ID',
  ILS: 'IL',
  INR: 'IN',
  ISK: 'IS',
  JPY: 'JP',
  KRW: 'KR',
  MAD: 'MA',
  MXN: 'MX',
  MYR: 'MY',
  NGN: 'NG',
  NOK: 'NO',
  NZD: 'NZ',
  PEN: 'PE',
  PHP: 'PH',
  PLN: 'PL',
  RON: 'RO',
  RSD: 'RS',
  SAR: 'SA',
  SEK: 'SE',
  SGD: 'SG',
  THB: 'TH',
  TRY: 'TR',
  TWD: 'TW',
  UAH: 'UA',
  USD: 'US PR EC SV PA',
  VND: 'VN',
  ZAR: 'ZA',
}

const regions = [euro, ...Object.values(others)].join(' ').split(' ')

/** The time zones of a region, as this browser has them. Two spellings, because the standard changed it. */
function zonesOf(region: string): readonly string[] {
  const locale = new Intl.Locale(`und-${region}`) as Intl.Locale & {
    getTimeZones?: () => string[]
    timeZones?: string[]
  }
  return locale.getTimeZones?.() ?? locale.timeZones ?? []
}

/** The region that a time zone lies in, as far as its money is known here. */
function regionOf(timeZone: string): string | undefined {
  return regions.find((region) => zonesOf(region).includes(timeZone))
}

/**
 * The currency of where somebody is. The time zone says that; a locale says which language somebody reads, and half of Europe reads
 * "en-US".
 * @param timeZone - Of the browser.
 * @param locale - For zones that lie nowhere known, and browsers that cannot say where a zone lies.
 */
export function currencyOf(timeZone: string, locale: string): string {
  let region = regionOf(timeZone)
  try {
    region ??= new Intl.Locale(locale).maximize().region
  } catch {
    // Not a language tag.
  }
  if (!region) return 'USD'
  if (euro.includes(region)) return 'EUR'
  return Object.keys(others).find((code) => others[code]?.includes(region)) ?? 'USD'
}

/** The time zone that this browser lives in. */
export function timeZoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC'
}

const listed = (kind: 'timeZone' | 'currency') =>
  typeof Intl.supportedValuesOf === 'function' ? Intl.supportedValuesOf(kind) : []

/** Every time zone that this browser knows, and the one that is chosen. */
export function timeZones(chosen: string): string[] {
  return [...new Set([...listed('timeZone'), 'UTC', chosen])].sort()
}

/** Every currency that this browser knows with its name, and the one that is chosen. */
export function currencies(chosen: string, locale: string): { code: string; name: string }[] {
  const names = new Intl.DisplayNames([locale], { type: 'currency' })
  return [...new Set([...listed('currency'), chosen])].sort().map((code) => {
    const name = names.of(code)
    return { code, name: name && name !== code ? `${code}, ${name}` : code }
  })
}

/** A time zone as people say it: "Buenos Aires" rather than "America/Argentina/Buenos_Aires". */
export function placeOf(timeZone: string): string {
  return timeZone.slice(timeZone.lastIndexOf('/') + 1).replaceAll('_', ' ')
}

import { moneyOptions } from './currency'
import { compact, formatNumber, nbsp, number, type NumberStyle, type Precision } from './format'

/** A number with up to so many decimals, whatever its unit usually has. */
function withDigits(value: number, style: NumberStyle, digits: number): string {
  const { unit, locale } = style
  const most = { maximumFractionDigits: digits }
  switch (unit) {
    case 'currency': {
      const money = moneyOptions(style.currency ?? '')
      const least = Math.min(digits, money.minimumFractionDigits ?? 0)
      return number(value, { ...money, ...most, minimumFractionDigits: least }, locale)
    }
    case 'ratio':
      return number(value, { style: 'percent', ...most }, locale)
    case 'seconds':
      return `${number(value, most, locale)}${nbsp}s`
    case 'milliseconds':
      return `${number(value, most, locale)}${nbsp}ms`
    case 'minutes':
      return `${number(value, most, locale)}${nbsp}min`
    case 'times':
      return `${number(value, most, locale)}×`
    case 'count':
    case 'number':
    case 'score':
      return number(value, most, locale)
  }
}

/**
 * Numbers that stand beside each other to be compared: as short as they may be while no two different ones look alike. "412 → 412" and
 * "100% of 100%: missed" is what rounding each by itself makes of them.
 */
export function formatApart(
  values: readonly number[],
  style: NumberStyle,
  precision: Precision = 'card',
): string[] {
  const different = new Set(values).size
  const tellsApart = (shown: string[]) => new Set(shown).size === different
  const levels: Precision[] = ['card', 'table', 'exact']
  for (const level of levels.slice(levels.indexOf(precision))) {
    const shown = values.map((value) => formatNumber(value, style, level))
    if (tellsApart(shown)) return shown
  }
  let shown: string[] = []
  for (let digits = 0; digits <= 12; digits++) {
    shown = values.map((value) => withDigits(value, style, digits))
    if (tellsApart(shown)) break
  }
  return shown
}

/** Short enough for the axis of a chart. */
export function formatAxis(value: number, style: NumberStyle): string {
  const { unit, locale } = style
  // What is not shortened is no longer than a card would have it.
  const plain = { maximumSignificantDigits: Math.abs(value) < 1000 ? 3 : 21 }
  if (unit === 'currency') {
    const money = { ...moneyOptions(style.currency ?? ''), minimumFractionDigits: 0 }
    return compact(value, { ...money, ...plain }, 3, locale)
  }
  if (unit === 'count' || unit === 'number' || unit === 'score')
    return compact(value, plain, 3, locale)
  return formatNumber(value, style)
}

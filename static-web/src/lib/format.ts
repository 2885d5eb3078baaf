import type { Unit } from '../api/types'
import { moneyOptions } from './currency'
import { locale as own } from './locale'

/** How much room a number has: a card keeps four significant figures, a table and a sentence a little more, `exact` all. */
export type Precision = 'card' | 'table' | 'exact'

/** What the automation page adds to the units of the catalogue: a multiple, such as a return of 15.6×. */
export type ShownUnit = Unit | 'times'

export interface NumberStyle {
  unit: ShownUnit
  currency?: string | undefined
  /** The viewer's by default. */
  locale?: string | undefined
}

export const nbsp = '\u00a0'
const formats = new Map<string, Intl.NumberFormat>()
function formatOf(options: Intl.NumberFormatOptions, locale = own) {
  const key = `${locale ?? ''}${JSON.stringify(options)}`
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.NumberFormat(locale, options)))
  return found
}

/** In the viewer's locale by default. */
export const number = (value: number, options: Intl.NumberFormatOptions, locale?: string) =>
  formatOf(options, locale).format(value)

/**
 * Shortened where the locale has a sign for it, else as it is: German has none below a million, and "111.000" for 110,556 is a rounding
 * that looks exact.
 */
export function compact(
  value: number,
  options: Intl.NumberFormatOptions,
  digits: number,
  locale?: string,
) {
  const brief = formatOf(
    { ...options, notation: 'compact', maximumSignificantDigits: digits },
    locale,
  )
  return brief.formatToParts(value).some((part) => part.type === 'compact')
    ? brief.format(value)
    : number(value, options, locale)
}

/** Four significant figures; from ten thousand on shortened, so that the rounding can be seen. */
function short(value: number, options: Intl.NumberFormatOptions, locale?: string) {
  const size = Math.abs(value)
  return size >= 10_000
    ? compact(value, options, size >= 100_000 ? 3 : 4, locale)
    : number(value, options, locale)
}

function seconds(total: number, locale?: string) {
  const size = Math.abs(total)
  if (size < 60)
    return `${number(total, { maximumFractionDigits: size < 10 ? 1 : 0 }, locale)}${nbsp}s`
  const whole = Math.round(size)
  const sign = total < 0 ? '−' : ''
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  if (h > 0) return `${sign}${number(h, {}, locale)}${nbsp}h${m > 0 ? ` ${m}${nbsp}min` : ''}`
  return `${sign}${m}${nbsp}min${s > 0 ? ` ${s}${nbsp}s` : ''}`
}

function minutes(total: number, precision: Precision, locale?: string) {
  const size = Math.abs(total)
  if (size < 60)
    return `${number(total, { maximumFractionDigits: size < 10 ? 1 : 0 }, locale)}${nbsp}min`
  const hours = total / 60
  if (precision === 'exact') {
    const whole = Math.round(size)
    const rest = whole % 60
    const sign = total < 0 ? '−' : ''
    return `${sign}${number(Math.floor(whole / 60), {}, locale)}${nbsp}h${rest > 0 ? ` ${rest}${nbsp}min` : ''}`
  }
  const fraction = Math.abs(hours) < 10 ? 1 : 0
  return `${short(hours, { maximumFractionDigits: fraction }, locale)}${nbsp}h`
}

/** A number as people read it, in their locale and the KPI's unit. */
export function formatNumber(
  value: number,
  style: NumberStyle,
  precision: Precision = 'card',
): string {
  const { unit, locale } = style
  const exact = precision === 'exact'
  const size = Math.abs(value)
  switch (unit) {
    case 'count': {
      const options = { maximumFractionDigits: Number.isInteger(value) ? 0 : size < 100 ? 1 : 0 }
      return precision === 'card' ? short(value, options, locale) : number(value, options, locale)
    }
    case 'currency': {
      const money = moneyOptions(style.currency ?? '')
      if (exact) return number(value, money, locale)
      const whole = { ...money, maximumFractionDigits: 0, minimumFractionDigits: 0 }
      if (precision === 'table') return number(value, size >= 1000 ? whole : money, locale)
      return size < 100 ? number(value, money, locale) : short(value, whole, locale)
    }
    case 'ratio':
      return number(
        value,
        { style: 'percent', maximumFractionDigits: exact ? 3 : size < 0.1 ? 2 : 1 },
        locale,
      )
    case 'seconds':
      return seconds(value, locale)
    case 'milliseconds':
      return size < 1000
        ? `${number(value, { maximumFractionDigits: 0 }, locale)}${nbsp}ms`
        : exact && size < 60_000
          ? `${number(value / 1000, { maximumFractionDigits: 3 }, locale)}${nbsp}s`
          : seconds(value / 1000, locale)
    case 'minutes':
      return minutes(value, precision, locale)
    case 'score':
      return number(value, { maximumFractionDigits: exact ? 1 : 0 }, locale)
    case 'times':
      return `${number(value, { maximumFractionDigits: exact ? 3 : size < 100 ? 1 : 0 }, locale)}×`
    case 'number':
      return exact
        ? number(value, { maximumFractionDigits: 4 }, locale)
        : precision === 'card'
          ? short(value, { maximumFractionDigits: size < 100 ? 2 : 0 }, locale)
          : number(value, { maximumFractionDigits: size < 1000 ? 2 : 0 }, locale)
  }
}

/** A share as a whole or one-decimal per cent, without sign. */
export const formatPercent = (share: number, locale?: string) =>
  number(
    Math.abs(share),
    { style: 'percent', maximumFractionDigits: Math.abs(share) < 0.1 ? 1 : 0 },
    locale,
  )

/** How much of a goal is there, in whole per cent; but never 100% of what is more or less than all of it. */
export function formatPace(pace: number, locale?: string): string {
  const written = (share: number, digits: number) =>
    number(share, { style: 'percent', maximumFractionDigits: digits }, locale)
  let digits = 0
  while (digits < 6 && pace !== 1 && written(pace, digits) === written(1, digits)) digits++
  return written(pace, digits)
}

/** The distance of two ratios in percentage points, without sign: 0.2 of "0.2 pt". */
export const formatPoints = (difference: number, locale?: string) =>
  number(
    Math.abs(difference) * 100,
    { maximumFractionDigits: Math.abs(difference) < 0.001 ? 2 : 1 },
    locale,
  )

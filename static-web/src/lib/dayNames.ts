import { addDays, daysBetween, format, parse } from './dates'

/** Every day from one to another, both included. */
export function daysOf(from: string, to: string): string[] {
  return Array.from({ length: Math.max(0, daysBetween(from, to) + 1) }, (_, i) => addDays(from, i))
}

/** "15 Nov" */
export const shortDay = (day: string, locale?: string) =>
  format({ day: 'numeric', month: 'short', timeZone: 'UTC' }, locale).format(parse(day))

/** "Sun, 15 Nov 2026" */
export const fullDay = (day: string, locale?: string) =>
  format(
    { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric', timeZone: 'UTC' },
    locale,
  ).format(parse(day))

/** "November 2026" */
export const monthName = (day: string, locale?: string) =>
  format({ month: 'long', year: 'numeric', timeZone: 'UTC' }, locale).format(parse(day))

/** "Nov 26" */
export const monthShort = (day: string, locale?: string) =>
  format({ month: 'short', year: '2-digit', timeZone: 'UTC' }, locale).format(parse(day))

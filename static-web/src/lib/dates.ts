import type { Range } from '../api/types'
import { locale as own } from './locale'

// Business days are `YYYY-MM-DD` in the tenant's time zone. They are handled as UTC midnights, never as local times.
const dayMs = 86_400_000

export const parse = (day: string) => Date.parse(`${day}T00:00:00Z`)
const write = (ms: number) => new Date(ms).toISOString().slice(0, 10)

export const addDays = (day: string, days: number) => write(parse(day) + days * dayMs)
/** The same date in another year; 29 February is the 28th where there is no other. */
export function addYears(day: string, years: number): string {
  const there = `${String(Number(day.slice(0, 4)) + years).padStart(4, '0')}${day.slice(4)}`
  return there.endsWith('-02-29') && write(parse(there)) !== there
    ? there.replace('-02-29', '-02-28')
    : there
}
export const daysBetween = (from: string, to: string) =>
  Math.round((parse(to) - parse(from)) / dayMs)

/** The day that an instant falls on in a time zone. */
export function dayIn(timeZone: string, at: Date): string {
  const parts = new Intl.DateTimeFormat('en-CA', {
    timeZone,
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
  }).formatToParts(at)
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? ''
  return `${part('year')}-${part('month')}-${part('day')}`
}

const formats = new Map<string, Intl.DateTimeFormat>()
/** In the viewer's locale by default. */
export function format(options: Intl.DateTimeFormatOptions, locale = own) {
  const key = `${locale ?? ''}${JSON.stringify(options)}`
  let found = formats.get(key)
  if (!found) formats.set(key, (found = new Intl.DateTimeFormat(locale, options)))
  return found
}

/** "Sun 15 Nov"; the year only when `year` is asked for. */
export const dayName = (day: string, locale?: string) =>
  format({ weekday: 'short', day: 'numeric', month: 'short', timeZone: 'UTC' }, locale).format(
    parse(day),
  )

/** "24 Oct – 20 Nov", with years where they differ from the year of `today` or from each other. */
export function dayRange(from: string, to: string, today?: string, locale?: string): string {
  if (from === to) return dayName(from, locale)
  const plain =
    today !== undefined &&
    from.slice(0, 4) === today.slice(0, 4) &&
    to.slice(0, 4) === today.slice(0, 4)
  return format(
    { day: 'numeric', month: 'short', ...(plain ? {} : { year: 'numeric' }), timeZone: 'UTC' },
    locale,
  ).formatRange(parse(from), parse(to))
}

/** The time of day within the same day of the time zone, else the day and the time: "06:12", "Sat 21 Nov, 06:12". */
export function clock(instant: string, timeZone: string, now: Date, locale?: string): string {
  const at = new Date(instant)
  const same = dayIn(timeZone, at) === dayIn(timeZone, now)
  return format(
    {
      hour: '2-digit',
      minute: '2-digit',
      timeZone,
      ...(same ? {} : { weekday: 'short', day: 'numeric', month: 'short' }),
    },
    locale,
  ).format(at)
}

/** The days a range is expected to cover, until the answer says which it does: up to yesterday. */
export function expectedDays(range: Range, today: string): { from: string; to: string } {
  if (range === 'today') return { from: today, to: today }
  const to = addDays(today, -1)
  const days = { last_day: 1, last_7_days: 7, last_28_days: 28, last_90_days: 90 }
  if (range !== 'last_12_months') return { from: addDays(to, 1 - days[range]), to }
  return {
    from: addDays(addYears(to, -1), 1),
    to,
  }
}

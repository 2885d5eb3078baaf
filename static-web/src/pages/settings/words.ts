import type { AuditEntry } from '../../api/types'
import { dayIn } from '../../lib/dates'
import { settings } from '../../messages-settings'
import { locale as own } from '../../lib/locale'

const text = settings.words

const browsers: [RegExp, string][] = [
  [/\bEdgA?\/|\bEdgiOS\//, 'Edge'],
  [/\bOPR\/|\bOPT\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\bVivaldi\//, 'Vivaldi'],
  [/\bFirefox\/|\bFxiOS\//, 'Firefox'],
  [/\bHeadlessChrome\/|\bChrome\/|\bCriOS\/|\bChromium\//, 'Chrome'],
  [/\bVersion\/[\d.]+.*\bSafari\//, 'Safari'],
]
const systems: [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bWindows NT\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'Mac'],
  [/\bLinux\b/, 'Linux'],
]
const known = (table: [RegExp, string][], agent: string) =>
  table.find(([pattern]) => pattern.test(agent))?.[1]

/** "Firefox on Windows" for what a browser calls itself; the first word of it for a program. */
export function deviceWords(agent: string | null): string {
  if (!agent?.trim()) return text.unknownDevice
  const browser = known(browsers, agent)
  const system = known(systems, agent)
  if (browser && system) return text.browserOn(browser, system)
  if (browser ?? system) return browser ?? system ?? ''
  return /^[\w.-]+/.exec(agent.trim())?.[0].slice(0, 40) ?? text.unknownDevice
}

/** What a token may do, from its scopes: "Read numbers, start a refresh". */
export function scopeWords(scopes: readonly string[]): string {
  const said = scopes.map((scope) => (text.scopes as Record<string, string>)[scope] ?? scope)
  const all = said.join(', ')
  return all.charAt(0).toUpperCase() + all.slice(1)
}

const lower = (words: string) => words.charAt(0).toLowerCase() + words.slice(1)

/** An entry of the audit log as a sentence, without its full stop: "anna@example.com invited ben@example.com". */
export function auditSentence(
  entry: Pick<AuditEntry, 'actorName' | 'action' | 'words' | 'subjectName'>,
) {
  const { actorName, action, words, subjectName } = entry
  const special = (
    text.audit as Record<string, ((who: string, whom: string) => string) | undefined>
  )[action]
  if (special && subjectName) return special(actorName, subjectName)
  // Words that are a sentence of their own name nobody who did it.
  if (/^(A|An|The) /.test(words)) return `${actorName}: ${lower(words)}`
  const about = subjectName && subjectName !== actorName ? ` (${subjectName})` : ''
  return `${actorName} ${lower(words)}${about}`
}

/** A field of a change in words: `hourlyLabourCost` is "Hourly labour cost". */
export function fieldWords(field: string): string {
  const named = (text.fields as Record<string, string>)[field]
  if (named) return named
  const spaced = field
    .replaceAll(/([a-z\d])([A-Z])/g, '$1 $2')
    .replaceAll('_', ' ')
    .toLowerCase()
  return spaced.charAt(0).toUpperCase() + spaced.slice(1)
}

/** A value of a change as people read it. */
export function changeValue(field: string, value: string | null, timeZone: string): string {
  if (value === null || value === '')
    return (text.unset as Record<string, string>)[field] ?? text.nothing
  if (value === 'true') return text.yes
  if (value === 'false') return text.no
  if (field === 'role') return (text.roles as Record<string, string>)[value] ?? value
  if (field === 'scopes') return scopeWords(value.split(/[\s,]+/).filter(Boolean))
  if (field === 'weekStart') return weekday(Number(value))
  if (field === 'fiscalYearStartMonth') return monthName(Number(value))
  if (/^\d{4}-\d\d-\d\dT/.test(value)) return moment(value, timeZone)
  return value
}

/** A weekday by its number, 0 = Sunday. */
export const weekday = (day: number, locale?: string) =>
  new Intl.DateTimeFormat(locale ?? own, { weekday: 'long', timeZone: 'UTC' }).format(
    Date.UTC(2023, 0, 1 + day),
  )

/** A month by its number, 1 = January. */
export const monthName = (month: number, locale?: string) =>
  new Intl.DateTimeFormat(locale ?? own, { month: 'long', timeZone: 'UTC' }).format(
    Date.UTC(2023, month - 1, 1),
  )

/** A point in time with its day and year: "22 Nov 2026, 14:05". */
export const moment = (instant: string, timeZone: string, locale?: string) =>
  new Intl.DateTimeFormat(locale ?? own, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    timeZone,
  }).format(new Date(instant))

/** A day with its year: "22 Nov 2026". */
export const date = (instant: string, timeZone: string, locale?: string) =>
  new Intl.DateTimeFormat(locale ?? own, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone,
  }).format(new Date(instant))

/** How long ago: relative within a day, the day beyond. */
export function ago(instant: string, timeZone: string, now: Date, locale?: string): string {
  const seconds = Math.max(0, (now.getTime() - Date.parse(instant)) / 1000)
  const relative = new Intl.RelativeTimeFormat(locale ?? 'en', { numeric: 'always' })
  if (seconds < 60) return text.justNow
  if (seconds < 3600) return relative.format(-Math.floor(seconds / 60), 'minute')
  if (seconds < 86_400) return relative.format(-Math.floor(seconds / 3600), 'hour')
  return dayIn(timeZone, new Date(instant)).slice(0, 4) === dayIn(timeZone, now).slice(0, 4)
    ? new Intl.DateTimeFormat(locale ?? own, { day: 'numeric', month: 'short', timeZone }).format(
        new Date(instant),
      )
    : date(instant, timeZone, locale)
}

/** An amount of money as typed, "40", "1 640.50" or "40,5"; null for none, undefined for what is not an amount. */
export function parseAmount(typed: string): number | null | undefined {
  const plain = typed.replaceAll(/[\s\u00a0\u202f']/g, '')
  if (plain === '') return null
  // A comma before exactly three digits parts thousands, before one or two it parts decimals.
  const point = /^\d+,\d{1,2}$/.test(plain)
    ? plain.replace(',', '.')
    : /^\d{1,3}(,\d{3})+(\.\d+)?$/.test(plain)
      ? plain.replaceAll(',', '')
      : plain
  return /^\d{1,9}(\.\d{1,2})?$/.test(point) ? Number(point) : undefined
}

/** The size of a file: "1.2 MB". */
export function fileSize(bytes: number, locale?: string): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte'] as const
  const step = Math.min(units.length - 1, bytes < 1 ? 0 : Math.floor(Math.log10(bytes) / 3))
  return new Intl.NumberFormat(locale ?? own, {
    style: 'unit',
    unit: units[step] ?? 'byte',
    unitDisplay: step === 0 ? 'long' : 'short',
    maximumFractionDigits: step === 0 ? 0 : 1,
  }).format(bytes / 1000 ** step)
}

/** Addresses and networks as they were typed, one a line or with commas between. */
export const addressesIn = (typed: string) => typed.split(/[\s,;]+/).filter(Boolean)

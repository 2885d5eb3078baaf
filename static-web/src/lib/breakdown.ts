import type { Breakdown, BreakdownMember, Dimension } from '../api/types'
import { breakdown as text } from '../messages-breakdown'
import { daysBetween } from './dates'
import { fullDay } from './dayNames'
import { formatNumber, type NumberStyle } from './format'

/** Google's own words for what it does not know. */
export const isUnknown = (name: string) => name === '(not set)' || name === '(data not available)'

/** Whether anything of it can be drawn: Google tells at least one value by name, or that it is not set. */
export const hasBars = (one: Pick<Breakdown, 'members'>) =>
  one.members.some(({ name }) => name !== '(data not available)')

/** A value of a dimension in people's words. */
export function memberName(dimension: Dimension, name: string): string {
  if (dimension === 'landing_page' && name === '/') return text.home
  return text.names[name] ?? name
}

/** Which channel is behind a change. */
export type Driver =
  { kind: 'mostly' | 'spread'; name: string; difference: number } | { kind: 'unknown' }

type Divided = Pick<Breakdown, 'aggregation' | 'value' | 'previous' | 'change' | 'members'>

/**
 * What a change of something that adds up rests on: the value that moved most in its direction, "mostly" if that was half of the change or more. Unknown
 * where what is not told apart moved as much, or where the source itself does not know. Null where nothing is to be told.
 */
export function driverOf(divided: Divided): Driver | null {
  const { aggregation, value, previous, change, members } = divided
  if (aggregation !== 'sum' || value === null || previous === null || change === null) return null
  // A twentieth of a per cent is no movement: see describeChange.
  if (Math.abs(change) < 0.0005) return null
  const total = value - previous
  const known = members.flatMap((one) =>
    one.value === null || one.previous === null || one.status === 'partial'
      ? []
      : [{ name: one.name, difference: one.value - one.previous }],
  )
  const along = (difference: number) => difference * Math.sign(total)
  const [top] = known
    .filter((one) => along(one.difference) > 0)
    .sort((a, b) => along(b.difference) - along(a.difference))
  const others = total - known.reduce((sum, one) => sum + one.difference, 0)
  if (!top || isUnknown(top.name) || along(others) >= along(top.difference))
    return { kind: 'unknown' }
  return { kind: along(top.difference) * 2 >= Math.abs(total) ? 'mostly' : 'spread', ...top }
}

/** The driver in words: "mostly Organic Search, −840". */
export function driverWords(driver: Driver, style: NumberStyle): string {
  if (driver.kind === 'unknown') return text.driver.unknown
  const size = formatNumber(Math.abs(driver.difference), style, 'table')
  return text.driver[driver.kind](
    memberName('channel', driver.name),
    `${driver.difference < 0 ? '−' : '+'}${size}`,
  )
}

/** A sentence with what it rests on. */
export const withDriver = (sentence: string, words: string | null) =>
  words === null ? sentence : `${sentence.replace(/\.$/, '')}; ${words}.`

/** What has to be said of breakdowns, each thing once. */
export function notesOn(all: readonly Breakdown[], locale?: string): string[] {
  return [
    ...new Set(
      all.flatMap((one) => {
        const days = daysBetween(one.from, one.to) + 1
        return [
          one.since !== null && one.since > one.from
            ? one.since > one.to
              ? null
              : text.begins(fullDay(one.since, locale))
            : one.daysWithout > 0 && one.daysWithout < days
              ? text.missing(one.daysWithout, days)
              : one.status === 'partial'
                ? one.statusReason
                : null,
          one.rowsWithheld && one.rest ? text.withheld : null,
          one.restWithheld === null ? null : text.overlap,
          isPartly(one) ? text.partly : null,
          isPartly(one) && !one.rowsWithheld ? text.kept(one.perDay) : null,
        ].filter((note) => note !== null)
      }),
    ),
  ]
}

/** Some values are bounds although the period itself is whole. */
const isPartly = (one: Breakdown) =>
  one.status !== 'partial' && one.members.some((member) => member.status === 'partial')

/** How a number is to be read that was not told apart on some days: what is listed is a lower bound, the rest an upper one, and a rate neither. */
export function boundOf(
  member: Pick<BreakdownMember, 'status' | 'value'>,
  rest: boolean,
  one: Breakdown,
): '≥' | '≤' | '≈' | null {
  if (member.status !== 'partial' || one.status === 'partial' || member.value === null) return null
  return one.aggregation !== 'sum' ? '≈' : rest ? '≤' : '≥'
}

/** Had nothing then and has nothing now: not worth a line. */
export const isIdle = (member: BreakdownMember, one: Breakdown) =>
  one.aggregation === 'sum' &&
  member.value === 0 &&
  (member.previous ?? 0) === 0 &&
  member.status !== 'partial'

/** How long bars are, 0 to 1: of what adds up the share; of a rate the value beside the greatest. */
export function lengthsOf(one: Breakdown): number[] {
  if (one.aggregation === 'sum') return one.members.map((member) => member.share ?? 0)
  const most = Math.max(0, ...one.members.map((member) => member.value ?? 0))
  return one.members.map((member) => (most > 0 ? Math.max(0, member.value ?? 0) / most : 0))
}

import type { Compare, Grain } from '../api/types'
import { addDays, addYears, daysBetween } from './dates'
import { daysOf } from './dayNames'
import { keepsWeekdays } from './range'

/** Which days are compared with which, as every answer with a period tells. */
export interface Compared {
  range: string
  from: string
  compare: Compare
  compareFrom: string | null
  compareTo: string | null
}

/** What a line of the period before has at each point of the axis, and of which day it is; null where it has nothing. */
export interface Alongside {
  values: (number | null)[]
  dates: (string | null)[]
}

const week = 7
const monthDays = 365.2425 / 12
const monthOf = (day: string) => Number(day.slice(0, 4)) * 12 + Number(day.slice(5, 7)) - 1
const firstOf = (month: number) =>
  `${String(Math.floor(month / 12)).padStart(4, '0')}-${String((month % 12) + 1).padStart(2, '0')}-01`

/**
 * The day of the other period that stands beside a day (or the first day of a week or month) of this one. Days of last year are beside their dates, 29 February
 * beside the 28th; days of a preset that keeps its weekdays are beside those. Weeks and months go with the one that has most of the same days, whatever was cut off at the ends.
 */
function partner({ range, from, compare }: Compared, compareFrom: string, grain: Grain) {
  const apart = daysBetween(compareFrom, from)
  const dated = compare === 'previous_year' && !keepsWeekdays(range)
  if (grain === 'day')
    return dated ? (day: string) => addYears(day, -1) : (day: string) => addDays(day, -apart)
  if (grain === 'week') return (day: string) => addDays(day, -week * Math.round(apart / week))
  const months = dated ? 12 : Math.round(apart / monthDays)
  return (day: string) => firstOf(monthOf(day) - months)
}

/** Lays points of the period before along the axis of this one; what has no partner there is not drawn. */
export function alongside(
  of: Compared,
  axis: readonly string[],
  grain: Grain,
  points: readonly { date: string; value: number | null; status?: string }[],
): Alongside {
  const { compareFrom } = of
  if (compareFrom === null) return { values: axis.map(() => null), dates: axis.map(() => null) }
  const known = new Map(points.map((point) => [point.date, point]))
  const beside = partner(of, compareFrom, grain)
  let found = axis.map((day) => known.get(beside(day)))
  // A few days within one week or month, or just over its end: they are one after the other, whatever they are called.
  if (found.every((point) => point === undefined)) found = axis.map((_, i) => points[i])
  // Of a week or month of which days or a source are missing there is no total; the first and the last are cut like their partners.
  const ends = [points[0], points.at(-1)]
  const whole = (point: (typeof points)[number] | undefined) =>
    point?.status !== 'partial' || ends.includes(point)
  return {
    values: found.map((point) => (whole(point) ? (point?.value ?? null) : null)),
    dates: found.map((point) => point?.date ?? null),
  }
}

/** The same of the days that a summary has of one number. */
export const daysAlongside = (
  of: Compared & { dates: readonly string[] },
  comparison: readonly (number | null)[],
): Alongside =>
  alongside(
    of,
    of.dates,
    'day',
    of.compareFrom && of.compareTo
      ? daysOf(of.compareFrom, of.compareTo).map((date, i) => ({
          date,
          value: comparison[i] ?? null,
        }))
      : [],
  )

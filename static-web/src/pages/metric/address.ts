import { useCallback } from 'react'
import { useSearchParams } from 'react-router'
import type { Compare, Grain, Range } from '../../api/types'
import { daysBetween } from '../../lib/dates'
import { usePeriod } from '../../lib/range'
import type { Span } from '../overview/queries'
import { metric } from '../../messages-metric'

/** Longest range that the API answers, and the first day it knows. */
export const mostDays = 800
export const earliest = '2000-01-01'

const day = /^\d{4}-\d{2}-\d{2}$/
const isDay = (text: string) => day.test(text) && !Number.isNaN(Date.parse(`${text}T00:00:00Z`))

export type Wrong = { from?: string; to?: string }

/** What is wrong with days of one's own, at the field where it can be mended. */
export function checkDays(from: string, to: string, today: string): Wrong | null {
  const say = metric.days
  if (!isDay(from)) return { from: say.missing }
  if (!isDay(to)) return { to: say.missing }
  if (from > to) return { from: say.after }
  if (from < earliest) return { from: say.early(earliest) }
  if (to > today) return { to: say.future }
  if (daysBetween(from, to) >= mostDays) return { from: say.long(mostDays) }
  return null
}

/** Days where they are few enough to see, then weeks, then months. */
export function usualGrain(days: number): Grain {
  return days <= 120 ? 'day' : days <= 400 ? 'week' : 'month'
}

const grains: readonly Grain[] = ['day', 'week', 'month']
export const isGrain = (text: string | null): text is Grain => grains.includes(text as Grain)

/** A day of the address that could be one; what it holds otherwise is as if it were not there. */
const daysIn = (params: URLSearchParams) => {
  const [from, to] = [params.get('from') ?? '', params.get('to') ?? '']
  return isDay(from) && isDay(to) && from <= to && daysBetween(from, to) < mostDays
    ? { from, to }
    : null
}

/** Period, comparison and grain, all in the address. Days of one's own come before a preset. */
export function useMetricAddress(): {
  span: Span
  range: Range | null
  compare: Compare
  grain: Grain | null
  setRange: (range: Range) => void
  setDays: (from: string, to: string) => void
  setCompare: (compare: Compare) => void
  setGrain: (grain: Grain) => void
} {
  const [params, setParams] = useSearchParams()
  const { range, compare, setRange, setCompare } = usePeriod()
  const days = daysIn(params)
  const grain = params.get('grain')
  const change = useCallback(
    (values: Record<string, string | null>) => {
      setParams(
        (was) => {
          const next = new URLSearchParams(was)
          for (const [name, value] of Object.entries(values))
            if (value === null) next.delete(name)
            else next.set(name, value)
          return next
        },
        { replace: true },
      )
    },
    [setParams],
  )
  return {
    span: days ?? { range },
    range: days ? null : range,
    compare,
    grain: isGrain(grain) ? grain : null,
    setRange,
    setCompare,
    setDays: (from, to) => {
      change({ from, to, range: null, grain: null })
    },
    setGrain: (value) => {
      change({ grain: value })
    },
  }
}

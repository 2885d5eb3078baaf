import { useCallback } from 'react'
import { useSearchParams } from 'react-router'
import type { Compare, Range } from '../api/types'
import { daysBetween } from './dates'

/** Today is offered only where something is known of it; see `usual`. */
export const ranges: readonly Range[] = [
  'today',
  'last_day',
  'last_7_days',
  'last_28_days',
  'last_90_days',
  'last_12_months',
]
/** What every page offers. */
export const usual = ranges.filter((range) => range !== 'today')
export const comparisons: readonly Compare[] = ['previous_period', 'previous_year', 'none']

/**
 * Presets that are made of whole weeks on any day: their last year is the same weekdays, of everything else the same dates. The API has the same in `Period.KeepsWeekdays`;
 * a test compares them.
 */
export const keepsWeekdays = (range: string | null): boolean =>
  range === 'today' || range === 'last_day' || range === 'last_7_days' || range === 'last_28_days'

/** A preset that ends with the last complete day or with the day that is given, today so far, or days of one's own; of all sources, or of those that are named. */
export type Span = ({ range: Range; to?: string } | { from: string; to: string }) & {
  sources?: string
}

/** The same days of all sources. */
export const ofAll = (span: Span): Span =>
  'range' in span ? { range: span.range } : { from: span.from, to: span.to }

/** The days of an answer, asked for again so that they are compared with the same ones: of a preset, which may keep weekdays, not its bare dates. */
export const sameDays = (span: Span, { from, to }: { from: string; to: string }): Span =>
  'range' in span && span.range !== 'today' ? { range: span.range, to } : { from, to }

/** Longest range that the API answers. */
export const mostDays = 800

export const isRange = (text: string | null): text is Range => ranges.includes(text as Range)
const isCompare = (text: string | null): text is Compare => comparisons.includes(text as Compare)

const source = /^(push|[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12})$/
/** Sources of the address that could be some. */
const sourcesIn = (params: URLSearchParams) => {
  const asked = params.get('sources')
  return asked?.split(',').every((one) => source.test(one)) ? asked : null
}

const day = /^\d{4}-\d{2}-\d{2}$/
export const isDay = (text: string) => day.test(text) && !Number.isNaN(Date.parse(text))

/** Days of the address that could be some; what it holds otherwise is as if it were not there. */
const daysIn = (params: URLSearchParams) => {
  const [from, to] = [params.get('from') ?? '', params.get('to') ?? '']
  return isDay(from) && isDay(to) && from <= to && daysBetween(from, to) < mostDays
    ? { from, to }
    : null
}

export interface Period {
  /** Days of one's own come before a preset. */
  span: Span
  /** The preset that is on; null for days of one's own. */
  range: Range | null
  /** The preset for what knows no other days. */
  preset: Range
  compare: Compare
  /** What the page is narrowed to; null for all sources. */
  sources: string | null
  setRange: (range: Range) => void
  setDays: (from: string, to: string) => void
  setCompare: (compare: Compare) => void
  setSources: (sources: string | null) => void
}

/** Sets or takes away parts of the address, without a step back in the history. */
export function useAddress() {
  const [params, setParams] = useSearchParams()
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
  return [params, change] as const
}

/** The period of a page lives in its address, so that it can be sent to someone and survives a reload. */
export function usePeriod(): Period {
  const [params, change] = useAddress()
  const asked = params.get('range')
  const compare = params.get('compare')
  const days = daysIn(params)
  const preset: Range = isRange(asked) ? asked : 'last_28_days'
  const sources = sourcesIn(params)
  return {
    span: { ...(days ?? { range: preset }), ...(sources === null ? {} : { sources }) },
    sources,
    range: days ? null : preset,
    preset,
    compare: isCompare(compare) ? compare : 'previous_period',
    setRange: (range) => {
      change({ range, from: null, to: null })
    },
    // What a point of the chart is was chosen for other days.
    setDays: (from, to) => {
      change({ from, to, range: null, grain: null })
    },
    setCompare: (value) => {
      change({ compare: value })
    },
    setSources: (value) => {
      change({ sources: value })
    },
  }
}

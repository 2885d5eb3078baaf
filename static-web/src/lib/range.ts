import { useCallback } from 'react'
import { useSearchParams } from 'react-router'
import type { Compare, Range } from '../api/types'

export const ranges: readonly Range[] = [
  'last_day',
  'last_7_days',
  'last_28_days',
  'last_90_days',
  'last_12_months',
]
export const comparisons: readonly Compare[] = ['previous_period', 'previous_year', 'none']

const isRange = (text: string | null): text is Range => ranges.includes(text as Range)
const isCompare = (text: string | null): text is Compare => comparisons.includes(text as Compare)

/** The period of a page lives in its address, so that it can be sent to someone and survives a reload. */
export function usePeriod() {
  const [params, setParams] = useSearchParams()
  const askedRange = params.get('range')
  const askedCompare = params.get('compare')
  const range: Range = isRange(askedRange) ? askedRange : 'last_28_days'
  const compare: Compare = isCompare(askedCompare) ? askedCompare : 'previous_period'
  const set = useCallback(
    (name: 'range' | 'compare', value: string) => {
      setParams(
        (was) => {
          const next = new URLSearchParams(was)
          next.set(name, value)
          return next
        },
        { replace: true },
      )
    },
    [setParams],
  )
  return {
    range,
    compare,
    setRange: (value: Range) => {
      set('range', value)
    },
    setCompare: (value: Compare) => {
      set('compare', value)
    },
  }
}

import { useCallback, useMemo } from 'react'
import { useSearchParams } from 'react-router'
import type { Dimension } from '../../api/types'
import type { Only } from './queries'

export const dimensions: readonly Dimension[] = ['channel', 'device', 'country', 'landing_page']

const isDimension = (text: string | null | undefined): text is Dimension =>
  dimensions.includes(text as Dimension)

/** The number that the analytics page looks at. */
export function useChosenKpi() {
  const [params, setParams] = useSearchParams()
  return {
    key: params.get('kpi'),
    setKey: (key: string) => {
      setParams(
        (was) => {
          const now = new URLSearchParams(was)
          now.set('kpi', key)
          return now
        },
        { replace: true },
      )
    },
  }
}

/** What a page shows alone, as its address says it: for that page only, since addresses go along from page to page. */
export function readOnly(text: string | null, scope: string): Only | null {
  const [where, dimension, ...member] = (text ?? '').split('~')
  const name = member.join('~')
  return where === scope && isDimension(dimension) && name !== '' && name.length <= 200
    ? { dimension, member: name }
    : null
}

export const writeOnly = (scope: string, only: Only) =>
  [scope, only.dimension, only.member].join('~')

/**
 * By what the page divides and which value stands alone in the chart: in the address, so that it can be sent to someone.
 * @param scope what the page is about: the key of a number, or `web` for the whole website
 */
export function useDivision(scope: string): {
  dimension: Dimension
  only: Only | null
  setDimension: (dimension: Dimension) => void
  setOnly: (only: Only | null) => void
} {
  const [params, setParams] = useSearchParams()
  const by = params.get('by')
  const text = params.get('only')
  // The same object as long as it is the same: effects hang on it.
  const only = useMemo(() => readOnly(text, scope), [text, scope])
  const change = useCallback(
    (next: Dimension | null, alone: Only | null) => {
      setParams(
        (was) => {
          const now = new URLSearchParams(was)
          if (next !== null) now.set('by', next)
          if (alone === null) now.delete('only')
          else now.set('only', writeOnly(scope, alone))
          return now
        },
        { replace: true },
      )
    },
    [scope, setParams],
  )
  return {
    dimension: isDimension(by) ? by : (only?.dimension ?? 'channel'),
    only,
    setDimension: (next) => {
      change(next, null)
    },
    setOnly: (alone) => {
      change(alone?.dimension ?? null, alone)
    },
  }
}

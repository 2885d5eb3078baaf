import type { DayStatus } from '../api/types'

export interface SparkPaths {
  /** Lines through settled days. */
  solid: string
  /** Lines through days that may still change. */
  soft: string
  /** The comparison period. */
  before: string
  /** Where the line ends: the last day that has a value. */
  end: { x: number; y: number; soft: boolean } | null
}

const width = 100
const height = 28
const pad = 3
const round = (v: number) => Math.round(v * 10) / 10

/**
 * The shape matters, so the line fills its box; but noise must not look like drama, so the box never shows less than
 * a quarter of the highest level.
 */
function scale(known: readonly number[]): [number, number] {
  const low = Math.min(...known)
  const high = Math.max(...known)
  const least = Math.max(Math.abs(low), Math.abs(high)) / 4 || 1
  const more = Math.max(0, least - (high - low)) / 2
  return [low - more, high + more]
}

/**
 * Turns a series into SVG paths in a box of 100 × 28. A day without a value breaks the line; a value between two
 * breaks becomes a dot (a line of no length). A step is soft when either of its days is not settled.
 */
export function sparkPaths(
  values: readonly (number | null)[],
  status: readonly DayStatus[] = [],
  comparison: readonly (number | null)[] = [],
): SparkPaths {
  const known = [...values, ...comparison].filter((v): v is number => v !== null)
  const empty: SparkPaths = { solid: '', soft: '', before: '', end: null }
  if (known.length === 0) return empty
  const [low, high] = scale(known)
  const spread = high - low
  const n = Math.max(values.length, 2)
  const x = (i: number) => round((i / (n - 1)) * width)
  const y = (v: number) => round(height - pad - ((v - low) / spread) * (height - 2 * pad))
  const softAt = (i: number) => status[i] === 'provisional' || status[i] === 'partial'

  let solid = ''
  let soft = ''
  let end: SparkPaths['end'] = null
  values.forEach((value, i) => {
    if (value === null) return
    const before = i > 0 ? values[i - 1] : null
    const point = `${x(i)} ${y(value)}`
    if (before !== null && before !== undefined) {
      const step = `M${x(i - 1)} ${y(before)}L${point}`
      if (softAt(i) || softAt(i - 1)) soft += step
      else solid += solid.endsWith(`L${x(i - 1)} ${y(before)}`) ? `L${point}` : step
    } else {
      const next = values[i + 1]
      if (next === null || next === undefined) {
        const dot = `M${point}h0`
        if (softAt(i)) soft += dot
        else solid += dot
      }
    }
    end = { x: x(i), y: y(value), soft: softAt(i) }
  })

  let line = ''
  let open = false
  comparison.slice(0, values.length).forEach((value, i) => {
    if (value === null) open = false
    else {
      line += `${open ? 'L' : 'M'}${x(i)} ${y(value)}`
      open = true
    }
  })
  return { solid, soft, before: line, end }
}

/** Long ranges have more days than pixels: at most `most` buckets, each the mean of its known days. */
export function thin<S extends DayStatus>(
  values: readonly (number | null)[],
  status: readonly S[],
  most = 60,
): { values: (number | null)[]; status: S[]; size: number } {
  const size = Math.ceil(values.length / most)
  if (size <= 1) return { values: [...values], status: [...status], size: 1 }
  const outValues: (number | null)[] = []
  const outStatus: S[] = []
  for (let i = 0; i < values.length; i += size) {
    const known = values.slice(i, i + size).filter((v): v is number => v !== null)
    outValues.push(known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length)
    const days = status.slice(i, i + size)
    const worst = days.find((s) => s === 'provisional' || s === 'partial') ?? days[0]
    if (worst !== undefined) outStatus.push(worst)
  }
  return { values: outValues, status: outStatus, size }
}

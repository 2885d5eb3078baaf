import type { ValueStatus } from '../api/types'
import { formatNumber, type NumberStyle, type Precision } from '../lib/format'
import { messages } from '../messages'

interface Props extends NumberStyle {
  value: number | null
  precision?: Precision
  status?: ValueStatus | undefined
  /** Why there is no value, or what is the matter with it. */
  reason?: string | null | undefined
  /** Makes the number reachable by itself, where it does not stand in a button or a row that is. */
  alone?: boolean
  /** Opens the exact value towards the left, for numbers at a right edge. */
  atRight?: boolean
}

/**
 * Every number of the page. Shows it short, in the viewer's locale; the exact one is read out, and shown on hover and
 * on focus (its own, or that of the nearest `tip-host` around it). What cannot be measured is a dash with its reason.
 */
export function Value({
  value,
  precision = 'card',
  status,
  reason,
  alone = false,
  atRight = false,
  ...style
}: Props) {
  const shown = value === null ? messages.notMeasurable : formatNumber(value, style, precision)
  const exact =
    value === null ? (reason ?? messages.notMeasurableWhy) : formatNumber(value, style, 'exact')
  const state =
    value !== null && (status === 'provisional' || status === 'partial')
      ? (reason ?? messages.status[status])
      : null
  const tip = [exact === shown ? null : exact, state].filter(Boolean).join('. ')
  const box = `num relative inline-block whitespace-nowrap ${atRight ? 'tip-right' : ''} ${value === null ? 'text-muted' : ''}`
  if (!tip) return <span className={box}>{shown}</span>
  const inside = (
    <>
      <span aria-hidden="true">{shown}</span>
      <span className="sr-only">
        {value === null || exact !== shown ? tip : `${shown}. ${tip}`}
      </span>
      <span aria-hidden="true" className="tip">
        {tip}
      </span>
    </>
  )
  return alone ? (
    <button
      type="button"
      className={`tip-host cursor-help after:absolute after:-inset-x-2 after:-inset-y-2.5 ${box}`}
    >
      {inside}
    </button>
  ) : (
    <span className={box}>{inside}</span>
  )
}

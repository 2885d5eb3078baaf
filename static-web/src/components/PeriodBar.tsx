import { ChevronDown } from 'lucide-react'
import type { Compare, Range } from '../api/types'
import { dayRange } from '../lib/dates'
import { comparisons, ranges } from '../lib/range'
import { messages } from '../messages'

interface Props {
  range: Range
  compare: Compare
  onRange: (range: Range) => void
  onCompare: (compare: Compare) => void
  /** The days of the period. */
  days: { from: string; to: string }
  today: string
  /** Whether the last full day is yesterday, in the time zone of the business. */
  yesterday: boolean
}

/** Which days, and against which. */
export function PeriodBar({ range, compare, onRange, onCompare, days, today, yesterday }: Props) {
  return (
    <div className="flex flex-col lg:items-end">
      <div
        role="group"
        aria-label={messages.rangeLabel}
        className="-mx-1.5 flex justify-between sm:justify-start"
      >
        {ranges.map((one) => {
          const on = one === range
          const text =
            one === 'last_day'
              ? yesterday
                ? messages.yesterday
                : messages.ranges.last_day.label
              : messages.ranges[one].label
          return (
            <button
              key={one}
              type="button"
              aria-pressed={on}
              onClick={() => {
                onRange(one)
              }}
              className={`tap relative px-1.5 text-small whitespace-nowrap after:absolute after:inset-x-1.5 after:bottom-1.5 after:h-0.5 after:rounded-full ${on ? 'font-semibold text-ink after:bg-accent' : 'text-muted hover:text-ink'}`}
            >
              {one === 'last_day' ? (
                // As wide as either of its names: which one fits is known only with the numbers.
                <span className="grid *:col-start-1 *:row-start-1">
                  <span>{text}</span>
                  <span aria-hidden="true" className="invisible">
                    {messages.ranges.last_day.label}
                  </span>
                </span>
              ) : (
                text
              )}
            </button>
          )
        })}
      </div>
      <div className="flex h-6 items-center gap-1 text-small whitespace-nowrap text-muted">
        <span className="num">{dayRange(days.from, days.to, today)}</span>
        <span aria-hidden="true">{messages.versus}</span>
        <label className="relative -my-2.5 flex items-center">
          <span className="sr-only">{messages.compareLabel}</span>
          <select
            value={compare}
            onChange={(event) => {
              onCompare(event.target.value as Compare)
            }}
            className="h-11 [field-sizing:content] appearance-none rounded bg-transparent pr-5 pl-0.5 text-ink"
          >
            {comparisons.map((one) => (
              <option key={one} value={one}>
                {messages.compare[one]}
              </option>
            ))}
          </select>
          <ChevronDown
            aria-hidden="true"
            size={14}
            className="pointer-events-none absolute right-1"
          />
        </label>
      </div>
    </div>
  )
}

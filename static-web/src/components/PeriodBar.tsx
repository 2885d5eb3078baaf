import { ChevronDown, Printer } from 'lucide-react'
import { lazy, Suspense, use, useState } from 'react'
import type { Compare } from '../api/types'
import { addDays, dayRange, daysBetween, expectedDays } from '../lib/dates'
import { fullDay } from '../lib/dayNames'
import { savePdf } from '../lib/paper'
import { RefreshButton } from '../lib/refreshButton'
import { comparisons, keepsWeekdays, ranges, usual, type Period } from '../lib/range'
import { SourceFilter, SourcesOnPaper } from './sources/SourceFilter'
import { messages } from '../messages'
import { tab } from './tab'

const DaysDialog = lazy(() => import('./DaysDialog'))

interface Props {
  period: Period
  /** The days that the answer on the page is about, once there is one. */
  days: { from: string; to: string; compareNote?: string | null | undefined } | undefined
  today: string
  /** Whose days they are; none where only presets can be had. */
  timeZone?: string
  /** Something is known of today. */
  withToday?: boolean
  /** Whose numbers the page shows, where it can be had on paper. */
  business?: string
  /** Can be narrowed to sources, where several know the same: of a KPI, or of those whose keys begin so. */
  sourcesOf?: string
}

/** Which days, a preset or any from one to another, and against which. */
export function PeriodBar({
  period,
  days,
  today,
  timeZone,
  withToday,
  business,
  sourcesOf,
}: Props) {
  const [open, setOpen] = useState(false)
  const refresh = use(RefreshButton)
  const { span, range, compare } = period
  const offered = withToday || range === 'today' ? ranges : usual
  const on = days ?? ('range' in span ? expectedDays(span.range, today) : span)
  // The last full day is yesterday, as far as the answer tells.
  const yesterday = range !== null && on.to === addDays(today, -1)
  const dates = dayRange(on.from, on.to, today)
  return (
    <div className="flex flex-col lg:items-end print:order-first">
      {business !== undefined && (
        // The head of the report: on the screen the shell and the bar itself say all of it.
        <div className="report-head num hidden print:block">
          <p className="text-lead font-semibold">
            <bdi>{business}</bdi>
          </p>
          <p className="text-small text-muted">
            {[
              dates,
              compare === 'none'
                ? null
                : messages.paper.compared(
                    compare === 'previous_year'
                      ? messages.lastYear(keepsWeekdays(range), daysBetween(on.from, on.to) + 1)
                      : messages.compare[compare],
                  ),
              messages.paper.printed(fullDay(today)),
            ]
              .filter(Boolean)
              .join(' · ')}
            {sourcesOf !== undefined && period.sources !== null && (
              <SourcesOnPaper chosen={period.sources} />
            )}
          </p>
        </div>
      )}
      <div
        role="group"
        aria-label={messages.rangeLabel}
        // Six do not fit a phone's line: two of three, instead of one alone.
        className={`-mx-1.5 flex flex-wrap justify-between sm:justify-start print:hidden ${offered.length > 5 ? 'max-sm:grid max-sm:grid-cols-3 max-sm:justify-items-start' : ''}`}
      >
        {offered.map((one) => {
          const active = one === range
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
              aria-pressed={active}
              onClick={() => {
                period.setRange(one)
              }}
              className={tab(active)}
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
      <div className="flex min-h-6 w-full items-center gap-1 text-small whitespace-nowrap text-muted max-sm:flex-wrap max-sm:gap-y-5 lg:justify-end print:hidden">
        {timeZone ? (
          <button
            type="button"
            aria-haspopup="dialog"
            aria-label={`${messages.otherDays} ${dates}`}
            onClick={() => {
              setOpen(true)
            }}
            className={`num -my-2.5 flex h-11 items-center gap-0.5 decoration-dotted underline-offset-4 hover:text-ink max-sm:underline ${range === null ? 'font-semibold text-ink' : ''}`}
          >
            {dates}
            {/* Two dates with their years and "same days last year" leave a phone no room for it. */}
            <ChevronDown aria-hidden="true" size={14} className="max-sm:hidden" />
          </button>
        ) : (
          <span className="num">{dates}</span>
        )}
        <span aria-hidden="true">{messages.versus}</span>
        <label className="relative -my-2.5 flex min-w-0 items-center">
          <span className="sr-only">{messages.compareLabel}</span>
          <select
            value={compare}
            onChange={(event) => {
              period.setCompare(event.target.value as Compare)
            }}
            className="h-11 min-w-0 [field-sizing:content] appearance-none truncate rounded bg-transparent pr-5 pl-0.5 text-ink"
          >
            {comparisons.map((one) => (
              <option key={one} value={one}>
                {one === 'previous_year'
                  ? messages.lastYear(keepsWeekdays(range), daysBetween(on.from, on.to) + 1)
                  : messages.compare[one]}
              </option>
            ))}
          </select>
          <ChevronDown
            aria-hidden="true"
            size={14}
            className="pointer-events-none absolute right-1"
          />
        </label>
        {sourcesOf !== undefined && (
          <SourceFilter period={period} of={sourcesOf} className="-my-2.5 max-sm:hidden" />
        )}
        {refresh && (
          // On a phone it stands in the head, which is always in sight.
          <span data-refresh className="-my-2.5 ml-4 hidden lg:block">
            {refresh}
          </span>
        )}
        {business !== undefined && (
          <button
            type="button"
            className="-my-2.5 ml-auto flex h-11 min-w-11 items-center justify-center gap-1 text-accent hover:underline lg:ml-4"
            onClick={savePdf}
          >
            <Printer aria-hidden="true" size={14} />
            {messages.paper.save}
          </button>
        )}
      </div>
      {/* On a phone it has a line of its own: whose numbers these are must not be cut off. */}
      {sourcesOf !== undefined && (
        <SourceFilter period={period} of={sourcesOf} className="text-small text-muted sm:hidden" />
      )}
      {days?.compareNote && (
        <p className="num max-w-prose py-1 text-small text-balance text-muted lg:text-right">
          {days.compareNote}
        </p>
      )}
      {open && timeZone && (
        <Suspense fallback={null}>
          <DaysDialog
            days={on}
            today={today}
            timeZone={timeZone}
            onDays={period.setDays}
            onClose={() => {
              setOpen(false)
            }}
          />
        </Suspense>
      )}
    </div>
  )
}

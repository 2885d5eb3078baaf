import {
  Component,
  lazy,
  Suspense,
  useDeferredValue,
  useId,
  useMemo,
  useRef,
  useState,
  type KeyboardEvent,
  type ReactNode,
} from 'react'
import type { DayStatus, Grain } from '../../api/types'
import { dayName, dayRange } from '../../lib/dates'
import { fullDay, monthName } from '../../lib/dayNames'
import { formatNumber, type NumberStyle } from '../../lib/format'
import { missingRuns } from '../../lib/gaps'
import { messages } from '../../messages'
import { later } from '../../messages-later'
import { Skeleton } from '../Skeleton'
import { NoteMark } from './NoteList'
import { lastDayOf, notesAt, spanIn, type ChartNote } from './notes'

const ChartCanvas = lazy(() => import('./ChartCanvas'))

export interface ChartSeries {
  name: string
  values: readonly (number | null)[]
  tone: 'accent' | 'before' | 'goal' | 'good' | 'bad'
  kind: 'line' | 'bar'
  /** The day of each point, where it is not the day of the axis (the comparison). */
  dates?: readonly (string | null)[]
}

interface Props extends NumberStyle {
  name: string
  dates: readonly string[]
  status: readonly DayStatus[]
  series: readonly ChartSeries[]
  fromZero?: boolean
  stacked?: boolean
  /** What each point is; weeks and months are named by their first day. */
  grain?: Grain
  /** The days that the chart is about, where its first and last week or month are cut. */
  days?: { from: string; to: string }
  /** One of two charts, one below the other, over the same days: lower, and with axes that stand in line. */
  twin?: boolean
  notes?: readonly ChartNote[]
  /** A point was chosen, with a click or Enter. */
  onPick?: (day: string) => void
}

const none: readonly ChartNote[] = []

/**
 * Every chart of the page: the picture, a line that reads out one day (the one pointed at, or walked to with the arrow
 * keys), what is missing in words, and the same numbers as a table. The drawing code is loaded when first needed.
 */
export function Chart({
  name,
  dates,
  status,
  series,
  fromZero = true,
  stacked = false,
  grain = 'day',
  days,
  twin = false,
  notes = none,
  onPick,
  ...style
}: Props) {
  const [active, setActive] = useState<number | null>(null)
  const byPointer = useRef(false)
  const [asTable, setAsTable] = useState(false)
  // The button answers at once; many rows may take a moment longer.
  const tableShown = useDeferredValue(asTable)
  const table = useId()
  const last = dates.length - 1
  const shownDay = active !== null && active <= last ? active : null
  const empty = series.every((one) => one.values.every((value) => value === null))

  const marked = useMemo(() => notesAt(notes, dates, grain), [notes, dates, grain])
  const pointName = (day: string) =>
    grain === 'month' ? monthName(day) : later.chart.pointOf[grain](fullDay(day))
  const noted = shownDay === null ? none : (marked[shownDay] ?? none)
  const cell = (value: number | null | undefined) =>
    value === null || value === undefined ? later.chart.noData : formatNumber(value, style, 'table')

  const pick = (at: number | null) => {
    const day = at === null ? undefined : dates[at]
    if (day !== undefined) onPick?.(day)
  }
  const walk = (event: KeyboardEvent) => {
    const from = shownDay ?? (event.key === 'ArrowLeft' ? last + 1 : -1)
    const to =
      event.key === 'ArrowRight'
        ? Math.min(last, from + 1)
        : event.key === 'ArrowLeft'
          ? Math.max(0, from - 1)
          : event.key === 'Home'
            ? 0
            : event.key === 'End'
              ? last
              : null
    if (to !== null) {
      event.preventDefault()
      byPointer.current = false
      setActive(to)
    } else if (event.key === 'Escape') setActive(null)
    else if (event.key === 'Enter') pick(shownDay)
  }

  const gaps = missingRuns(dates, status, (day) => spanIn(day, grain, days))
  // A day of which one source has something and another nothing: a gap, since a part is no total.
  const torn = dates.filter((_, i) => status[i] === 'partial' && series[0]?.values[i] === null)
  const soft = status.some(
    (day, i) => day === 'provisional' || (day === 'partial' && series[0]?.values[i] !== null),
  )
  const gapWords = gaps
    .slice(0, 2)
    .map((gap) =>
      gap.toEnd && gap.from !== gap.to
        ? later.chart.noDataSince(dayName(gap.from))
        : later.chart.missing(dayRange(gap.from, gap.to, gap.to)),
    )
  if (gaps.length > 2)
    gapWords.splice(0, 2, later.chart.missingSome(gaps.reduce((n, gap) => n + gap.days, 0)))
  const earlier = series.find((one) => one.tone === 'before')
  const lacking = earlier?.values.filter((one, i) => one === null && earlier.dates?.[i]).length ?? 0
  if (lacking > 0 && grain === 'day') gapWords.push(later.chart.beforeMissing(lacking))
  if (torn.length > 0) gapWords.push(later.chart.torn(torn.length, pointName(torn[0] ?? '')))

  return (
    <figure className="min-w-0">
      <div className="flex min-h-10 flex-wrap items-baseline gap-x-4 gap-y-0 text-small text-muted sm:min-h-5">
        <span className="num min-w-32 text-ink">
          {shownDay === null
            ? dayRange(
                days?.from ?? dates[0] ?? '',
                days?.to ?? lastDayOf(dates[last] ?? '', grain),
              )
            : pointName(dates[shownDay] ?? '')}
        </span>
        {series.map((one) => (
          <span key={one.name} className="num inline-flex max-w-full items-center gap-1.5">
            <Swatch series={one} />
            <span className="min-w-0 wrap-anywhere">{one.name}</span>
            {shownDay !== null && (
              <span className="whitespace-nowrap text-ink">
                {cell(one.values[shownDay])}
                {one.dates?.[shownDay] && (
                  <span className="text-muted"> · {dayName(one.dates[shownDay])}</span>
                )}
              </span>
            )}
          </span>
        ))}
        {shownDay !== null && status[shownDay] !== undefined && status[shownDay] !== 'final' && (
          <span>{messages.status[status[shownDay]]}</span>
        )}
      </div>

      {/* The arrow keys are the chart's own here, which is what the role says. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        role="application"
        aria-roledescription={later.chart.role}
        aria-label={[
          `${later.chart.label(name)}.`,
          later.chart.hint,
          onPick ? later.chart.pick : null,
        ]
          .filter(Boolean)
          .join(' ')}
        tabIndex={0}
        onKeyDown={walk}
        onBlur={() => {
          setActive(null)
        }}
        onPointerLeave={(event) => {
          // A finger that is lifted leaves too, and what it pointed at is what it wants to read. A mouse that lies still leaves when the
          // page moves under it: that takes
          // nothing from the keyboard.
          if (event.pointerType === 'mouse' && byPointer.current) setActive(null)
        }}
        onPointerCancel={() => {
          // It scrolled the page and meant no day.
          if (byPointer.current) setActive(null)
        }}
        onClick={() => {
          pick(shownDay)
        }}
        className={`relative mt-2 rounded ${twin ? 'h-36 sm:h-44' : 'h-52 sm:h-72'} ${onPick ? 'cursor-pointer' : ''}`}
      >
        {empty ? (
          <p className="grid h-full place-items-center text-small text-muted">
            {later.chart.empty}
          </p>
        ) : (
          <IfBroken
            instead={
              <p className="grid h-full place-items-center text-small text-muted">
                {later.chart.failed}
              </p>
            }
          >
            <Suspense fallback={<Skeleton className="h-full w-full" />}>
              <ChartCanvas
                dates={dates}
                status={status}
                series={series}
                style={style}
                fromZero={fromZero}
                stacked={stacked}
                twin={twin}
                grain={grain}
                marked={marked}
                active={shownDay}
                onActive={(at) => {
                  byPointer.current = true
                  setActive(at)
                }}
              />
            </Suspense>
          </IfBroken>
        )}
        {noted.length > 0 && (
          // Over the chart, so that nothing moves; also read out below.
          <ul
            aria-hidden="true"
            className="pointer-events-none absolute inset-x-0 bottom-8 mx-auto w-fit max-w-[calc(100%-2rem)] rounded border border-line bg-surface px-3 py-1.5 text-small shadow-over"
          >
            {noted.slice(0, 3).map((note) => (
              <li key={note.kind + note.from + note.text} className="flex items-baseline gap-2">
                <NoteMark kind={note.kind} />
                <span className="line-clamp-2">{note.text}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
      <p aria-live="polite" className="sr-only">
        {shownDay !== null &&
          later.chart.readout(
            pointName(dates[shownDay] ?? ''),
            series.map((one) => `${one.name} ${cell(one.values[shownDay])}`).join(', ') +
              (status[shownDay] && status[shownDay] !== 'final'
                ? `. ${messages.status[status[shownDay]]}`
                : '') +
              noted.map((note) => `. ${later.chart.noteKind[note.kind]}: ${note.text}`).join(''),
          )}
      </p>

      <figcaption className="mt-1 -mb-3 flex flex-wrap items-center justify-between gap-x-6 text-small text-muted">
        <span>
          {[soft ? later.chart.provisional : null, ...gapWords].filter(Boolean).join(' ')}
        </span>
        <button
          type="button"
          aria-expanded={asTable}
          aria-controls={tableShown ? table : undefined}
          className="tap text-accent hover:underline"
          onClick={() => {
            setAsTable(!asTable)
          }}
        >
          {asTable ? later.chart.hideTable : later.chart.table}
        </button>
      </figcaption>
      {tableShown && (
        // Focusable, because a region that scrolls must be reachable without a mouse.
        <div
          id={table}
          role="region"
          aria-label={later.chart.tableLabel(name)}
          tabIndex={0}
          className="max-h-80 overflow-auto border-t border-line"
        >
          <table className="num w-full text-small">
            <caption className="sr-only">{name}</caption>
            <thead>
              <tr className="text-left text-muted">
                <th scope="col" className="sticky top-0 bg-surface py-2 pr-4 font-normal">
                  {later.chart.grain[grain]}
                </th>
                {series.map((one) => (
                  <th
                    key={one.name}
                    scope="col"
                    className="sticky top-0 bg-surface py-2 pr-4 text-right font-normal"
                  >
                    {one.name}
                  </th>
                ))}
                <th scope="col" className="sticky top-0 bg-surface py-2 text-right font-normal">
                  {later.chart.statusColumn}
                </th>
                {notes.length > 0 && (
                  <th scope="col" className="sticky top-0 bg-surface py-2 pl-4 font-normal">
                    {later.chart.notes}
                  </th>
                )}
              </tr>
            </thead>
            <tbody>
              {dates.map((day, i) => (
                <tr key={day} className="border-t border-line">
                  <th scope="row" className="py-1.5 pr-4 text-left font-normal whitespace-nowrap">
                    {grain === 'month' ? monthName(day) : fullDay(day)}
                  </th>
                  {series.map((one) => (
                    <td key={one.name} className="py-1.5 pr-4 text-right">
                      {cell(one.values[i])}
                    </td>
                  ))}
                  <td className="py-1.5 text-right text-muted">
                    {messages.status[status[i] ?? 'final']}
                  </td>
                  {notes.length > 0 && (
                    <td className="min-w-40 py-1.5 pl-4">
                      {marked[i]?.map((note) => note.text).join(' ')}
                    </td>
                  )}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </figure>
  )
}

function Swatch({ series }: { series: ChartSeries }) {
  const tone = {
    accent: 'text-accent',
    before: 'text-before',
    goal: 'text-good',
    good: 'text-accent',
    bad: 'text-trouble',
  }[series.tone]
  return (
    <svg aria-hidden="true" viewBox="0 0 16 8" className={`h-2 w-4 shrink-0 ${tone}`}>
      {series.kind === 'bar' ? (
        <rect x="4" width="8" height="8" rx="1.5" fill="currentColor" />
      ) : (
        <path
          d="M0 4h16"
          stroke="currentColor"
          strokeWidth="2"
          strokeDasharray={{ before: '3 3', goal: '7 2' }[series.tone as string]}
        />
      )}
    </svg>
  )
}

/** The drawing code may fail to load (a new version was deployed, the network is gone); the numbers are still there. */
class IfBroken extends Component<{ children: ReactNode; instead: ReactNode }, { broken: boolean }> {
  override state = { broken: false }
  static getDerivedStateFromError() {
    return { broken: true }
  }
  override render() {
    return this.state.broken ? this.props.instead : this.props.children
  }
}

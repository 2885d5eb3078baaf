import { useMemo } from 'react'
import type {
  Annotation,
  AutomationPerformance,
  DashboardTile,
  Summary,
  SummaryKpi,
} from '../../api/types'
import { daysAlongside } from '../../lib/alongside'
import { describeChange } from '../../lib/change'
import { clock, dayName } from '../../lib/dates'
import { isFailing, sortWorkflows } from '../../lib/automation'
import { narrowing, sourcesOf } from '../../lib/boards'
import { beforeWords, shownUnit } from '../../lib/kpis'
import { joined, namesOf } from '../../lib/sources'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'
import { later } from '../../messages-later'
import { ChangeText } from '../ChangeText'
import { Chart, type ChartSeries } from '../chart/Chart'
import { notesOf } from '../chart/notes'
import { Skeleton } from '../Skeleton'
import { Sparkline } from '../Sparkline'
import { sentenceOf } from '../ui'
import { Value } from '../Value'

/** The numbers of a whole dashboard: asked for once, whatever is on it. */
export interface BoardNumbers {
  summary: Summary | undefined
  automation: AutomationPerformance | undefined
  /** What is noted about the days; a link does not tell it. */
  annotations?: readonly Annotation[] | undefined
  /** What tiles may be narrowed to; undefined while that is not known. */
  sources?: readonly { id: string; name: string }[] | undefined
  /** The numbers of tiles that are narrowed, by what they are narrowed to. */
  parts?: ReadonlyMap<string, BoardPart> | undefined
  /** Seen through a link, which may show some sources only. */
  link?: boolean
}

/** What tiles that are narrowed alike show. */
export interface BoardPart {
  summary: Summary | undefined
  automation: AutomationPerformance | undefined
  /** Why they could not be had. */
  error?: Error | null | undefined
}

/** The numbers that a tile shows: those of the sources that it is narrowed to, and of no others where one of these is gone. */
export function ofTile(tile: DashboardTile, numbers: BoardNumbers) {
  const ids = sourcesOf(tile)
  if (ids === null) return { gone: false, of: null, own: numbers, failed: null }
  const names = numbers.sources && namesOf(ids, numbers.sources)
  const part = names ? numbers.parts?.get(narrowing(tile)) : undefined
  const own: BoardNumbers = { ...numbers, summary: part?.summary, automation: part?.automation }
  const failed = part?.error && !part.summary ? part.error : null
  return { gone: names === null, of: names ? joined(names) : null, own, failed }
}

/** What a tile is called. */
export function tileName(tile: DashboardTile, numbers: BoardNumbers): string {
  if (tile.kind === 'freshness') return boards.freshness
  if (tile.kind === 'note') return `${boards.note}: ${(tile.text ?? '').slice(0, 30)}`
  const { of, own } = ofTile(tile, numbers)
  const name = shownName(tile, own.summary ?? numbers.summary)
  return of === null ? name : `${name}, ${boards.ofSources(of)}`
}

const shownName = (tile: DashboardTile, summary: Summary | undefined) =>
  tile.kind === 'automation'
    ? boards.automation
    : (summary?.kpis.find((kpi) => kpi.key === tile.kpi)?.name ?? tile.kpi ?? '')

const heading = 'text-small text-muted'

/** What a tile shows. Every one says how far it can be trusted, and what is missing. */
export function TileBody({ tile, numbers: all }: { tile: DashboardTile; numbers: BoardNumbers }) {
  if (tile.kind === 'note')
    return <p className="max-w-prose whitespace-pre-line [overflow-wrap:anywhere]">{tile.text}</p>
  const { gone, of, own: numbers, failed } = ofTile(tile, all)
  const { summary, automation } = numbers
  if (gone)
    return (
      <>
        <h3 className={heading}>{shownName(tile, all.summary)}</h3>
        <p className="mt-1 text-small text-attention">
          {all.link ? boards.sourceGoneLink : boards.sourceGone}
        </p>
      </>
    )
  if (failed)
    return (
      <>
        <h3 className={heading}>{shownName(tile, all.summary)}</h3>
        <Of names={of} />
        <p role="alert" className="mt-1 text-small">
          {sentenceOf(failed)}
        </p>
      </>
    )
  if (!summary) return <TileSkeleton tall={tile.height > 1} />
  if (tile.kind === 'freshness') return <FreshnessTile summary={summary} />
  if (tile.kind === 'automation')
    return automation ? (
      <AutomationTile data={automation} rows={tile.height * 3 - 2} of={of} />
    ) : (
      <TileSkeleton tall />
    )
  const kpi = summary.kpis.find((one) => one.key === tile.kpi)
  if (!kpi)
    return (
      <>
        <h3 className={heading}>{shownName(tile, all.summary)}</h3>
        <Of names={of} />
        <p className="mt-1 text-small">{boards.noData}</p>
      </>
    )
  return tile.kind === 'kpi' ? (
    <NumberTile kpi={kpi} numbers={numbers} summary={summary} of={of} />
  ) : (
    <ChartTile kpi={kpi} numbers={numbers} summary={summary} of={of} />
  )
}

export function TileSkeleton({ tall }: { tall: boolean }) {
  return (
    <div>
      <Skeleton className="my-0.5 h-4 w-24" />
      <Skeleton className="mt-2 h-7 w-32" />
      {tall && <Skeleton className="mt-4 h-40 w-full" />}
    </div>
  )
}

interface OfKpi {
  kpi: SummaryKpi
  numbers: BoardNumbers
  summary: Summary
  /** What the tile is narrowed to; null for all sources. */
  of: string | null
}

/** Whose numbers a tile shows; nothing where they are those of all. */
function Of({ names }: { names: string | null }) {
  return names === null ? null : (
    <p className="text-small wrap-anywhere text-muted">{boards.ofSources(names)}</p>
  )
}

function Figures({ kpi, summary }: Omit<OfKpi, 'numbers' | 'of'>) {
  const change = describeChange(kpi, beforeWords(summary), summary.compare)
  return (
    <p className="flex flex-wrap items-baseline gap-x-3">
      <span className="text-big font-semibold tracking-[-0.01em]">
        <Value
          value={kpi.value}
          unit={shownUnit(kpi)}
          currency={kpi.currency ?? summary.currency}
          status={kpi.status}
          reason={kpi.statusReason}
          alone
        />
      </span>
      <span className="text-small">{change && <ChangeText change={change} />}</span>
    </p>
  )
}

/** Why a number is not whole, in words; nothing while all is well. */
function State({ kpi }: { kpi: SummaryKpi }) {
  const said =
    kpi.noDataSince !== null
      ? boards.noDataSince(dayName(kpi.noDataSince))
      : kpi.status === 'partial' || kpi.status === 'not_measurable'
        ? (kpi.statusReason ?? messages.status[kpi.status])
        : null
  return said ? <p className="text-small text-attention">{said}</p> : null
}

function NumberTile(props: OfKpi) {
  const { kpi, summary } = props
  return (
    <div className="tip-host flex h-full flex-col">
      <h3 className={`wrap-anywhere ${heading}`} title={kpi.description}>
        {kpi.name}
      </h3>
      <Of names={props.of} />
      <Figures kpi={kpi} summary={summary} />
      <State kpi={kpi} />
      {summary.dates.length > 1 && (
        <Sparkline
          values={kpi.sparkline}
          status={kpi.dayStatus}
          comparison={daysAlongside(summary, kpi.comparison).values}
          className="mt-auto"
        />
      )}
    </div>
  )
}

function ChartTile(props: OfKpi) {
  const { kpi, summary, numbers } = props
  const notes = useMemo(
    () => notesOf(numbers.annotations ?? [], (key) => key === kpi.key),
    [numbers.annotations, kpi.key],
  )
  const series = useMemo(() => {
    const own: ChartSeries[] = [
      { name: kpi.name, values: kpi.sparkline, tone: 'accent', kind: 'line' },
    ]
    const before = daysAlongside(summary, kpi.comparison)
    if (before.values.some((value) => value !== null))
      own.push({ name: later.chart.before, ...before, tone: 'before', kind: 'line' })
    return own
  }, [kpi, summary])
  return (
    <div className="flex h-full flex-col">
      <h3 className="font-semibold" title={kpi.description}>
        {kpi.name}
      </h3>
      <Of names={props.of} />
      <Figures {...props} />
      <div className="mt-1 min-w-0 [&_[role=application]]:h-(--chart)!">
        <Chart
          name={props.of === null ? kpi.name : `${kpi.name}, ${boards.ofSources(props.of)}`}
          dates={summary.dates}
          status={kpi.dayStatus}
          series={series}
          unit={shownUnit(kpi)}
          currency={kpi.currency ?? summary.currency}
          fromZero={kpi.unit !== 'ratio'}
          notes={notes}
        />
      </div>
    </div>
  )
}

function AutomationTile({
  data,
  rows,
  of,
}: {
  data: AutomationPerformance
  rows: number
  of: string | null
}) {
  const all = sortWorkflows([...data.workflows], 'timeSavedMinutes', true)
  const shown = all.slice(0, Math.max(2, rows))
  return (
    <div>
      <h3 className="font-semibold">{boards.automation}</h3>
      <Of names={of} />
      {all.length === 0 ? (
        <p className="mt-1 text-small text-muted">{boards.noWorkflows}</p>
      ) : (
        <table className="num mt-1 w-full text-small">
          <thead className="text-muted">
            <tr>
              <th scope="col" className="py-1 text-left font-normal">
                {boards.columns.name}
              </th>
              <th scope="col" className="py-1 pl-3 text-right font-normal max-sm:hidden">
                {boards.columns.executions}
              </th>
              <th scope="col" className="py-1 pl-3 text-right font-normal">
                {boards.columns.failed}
              </th>
              <th scope="col" className="py-1 pl-3 text-right font-normal">
                {boards.columns.saved}
              </th>
            </tr>
          </thead>
          <tbody>
            {shown.map((flow) => (
              <tr key={`${flow.integrationId} ${flow.id}`} className="border-t border-line">
                <th scope="row" className="min-w-24 py-2 text-left font-normal wrap-anywhere">
                  {flow.name}
                </th>
                <td className="w-16 py-2 pl-3 text-right max-sm:hidden">
                  <Value value={flow.executions} unit="count" precision="table" atRight />
                </td>
                <td
                  className={`w-16 py-2 pl-3 text-right ${isFailing(flow) ? 'font-semibold text-trouble' : ''}`}
                >
                  <Value value={flow.failed} unit="count" precision="table" atRight />
                </td>
                <td className="w-20 py-2 pl-3 text-right">
                  <Value value={flow.timeSavedMinutes} unit="minutes" precision="table" atRight />
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {all.length > shown.length && (
        <p className="mt-1 text-small text-muted">
          {boards.moreWorkflows(all.length - shown.length)}
        </p>
      )}
    </div>
  )
}

const marks: Record<Summary['freshness'][number]['status'], string> = {
  ok: 'bg-good',
  syncing: 'bg-accent',
  late: 'bg-attention',
  reconnect_needed: 'bg-trouble',
  failing: 'bg-trouble',
  paused: 'bg-line-strong',
  never_synced: 'bg-line-strong',
}

function FreshnessTile({ summary }: { summary: Summary }) {
  return (
    <div>
      <h3 className="font-semibold">{boards.freshness}</h3>
      {summary.freshness.length === 0 && (
        <p className="mt-1 text-small text-muted">{boards.noSources}</p>
      )}
      <ul className="mt-1">
        {summary.freshness.map((source, i) => (
          <li
            // A link tells no ids; of one kind there may be several.
            key={i}
            className="border-t border-line py-2 text-small first:border-t-0"
          >
            <p className="flex items-baseline justify-between gap-3">
              <span className="min-w-0 wrap-anywhere">{source.displayName}</span>
              <span className="inline-flex items-center gap-1.5 whitespace-nowrap text-muted">
                <span
                  aria-hidden="true"
                  className={`size-1.5 rounded-full ${marks[source.silent ? 'late' : source.status]}`}
                />
                {boards.states[source.silent ? 'behind' : source.status]}
              </span>
            </p>
            <p className="num text-muted">
              {[
                source.completeThrough && boards.through(dayName(source.completeThrough)),
                source.fetchedAt
                  ? boards.fetched(clock(source.fetchedAt, summary.timeZone, new Date()))
                  : boards.neverFetched,
              ]
                .filter(Boolean)
                .join(' · ')}
            </p>
            {source.message && <p>{source.message}</p>}
          </li>
        ))}
      </ul>
    </div>
  )
}

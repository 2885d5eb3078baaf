import { ChevronLeft } from 'lucide-react'
import { useEffect, useMemo, useRef, useState } from 'react'
import { Link, useLocation, useParams } from 'react-router'
import type { Annotation, CatalogueKpi, Insights, Summary, SummaryKpi } from '../../api/types'
import { ChangeText } from '../../components/ChangeText'
import { OnlyChip } from '../../components/breakdown/Bars'
import { Chart } from '../../components/chart/Chart'
import { NoteList } from '../../components/chart/NoteList'
import { notesOf, unusualOf, type ChartNote } from '../../components/chart/notes'
import { useNotes } from '../../components/chart/useNotes'
import { ErrorNotice, Notice, quietButton } from '../../components/Notice'
import { PeriodBar } from '../../components/PeriodBar'
import { PrintNote } from '../../components/print/PrintNote'
import { SavedAt } from '../../components/SavedAt'
import { NotHere } from '../../components/sources/NotHere'
import { Skeleton } from '../../components/Skeleton'
import { LoadFailed, sentenceOf } from '../../components/ui'
import { Value } from '../../components/Value'
import { describeChange } from '../../lib/change'
import { driverOf, driverWords, memberName, withDriver } from '../../lib/breakdown'
import { dayIn } from '../../lib/dates'
import { beforeWords, shownUnit } from '../../lib/kpis'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { isGone } from '../../lib/sources'
import { messages } from '../../messages'
import { later } from '../../messages-later'
import { metric } from '../../messages-metric'
import { marks } from '../overview/Brief'
import { useDivision } from '../analytics/address'
import { useBreakdown } from '../analytics/queries'
import { useInsights, useSummary } from '../overview/history'
import { useOfTenant } from '../settings/queries'
import { useMetricAddress, usualGrain } from './address'
import { Division } from './Division'
import { useDrawn } from './drawn'
import { ExportMenu } from './ExportMenu'
import { GoalPanel } from './GoalPanel'
import { GrainSwitch } from './GrainSwitch'
import { useNoteEditor } from './NoteEditor'
import { Where } from './Where'
import { metricSentence } from './sentence'

const noAnnotations: readonly Annotation[] = []

export default function Metric() {
  const { key = '' } = useParams()
  const { tenant } = useIdentity()
  const { search } = useLocation()
  const address = useMetricAddress()
  const { span, compare } = address
  const today = dayIn(tenant.timeZone, new Date())
  const summary = useSummary(tenant.id, span, compare)
  const insights = useInsights(tenant.id, span, compare)
  const data = isGone(summary.error) ? undefined : summary.data
  const kpi = data?.kpis.find((one) => one.key === key)
  // Narrowed to a source that has no such number: the catalogue knows what it is called.
  const catalogue = useOfTenant<CatalogueKpi[]>('kpis', 'kpis', data !== undefined && !kpi)
  const name = kpi?.name ?? catalogue.data?.find((one) => one.key === key)?.name ?? key

  useEffect(() => {
    document.title = `${tenant.name} · ${name} · ${messages.productShort}`
  }, [tenant.name, name])

  const picker = (
    <PeriodBar
      period={address}
      days={data}
      today={today}
      timeZone={tenant.timeZone}
      business={tenant.name}
      sourcesOf={key}
    />
  )
  return (
    <div className="mx-auto max-w-[78rem] px-4 pb-16 sm:px-8">
      <Link
        to={{ pathname: '/', search }}
        className="tap -ml-2 mt-1 print:hidden inline-flex items-center gap-1 rounded pr-3 pl-1 text-small text-muted hover:text-ink lg:mt-4"
      >
        <ChevronLeft aria-hidden="true" size={16} />
        {metric.back}
      </Link>
      {data && kpi ? (
        <Body
          // Another number starts afresh: its picked day is its own.
          key={kpi.key}
          summary={data}
          kpi={kpi}
          insights={insights.data}
          address={address}
          stale={summary.isPlaceholderData}
          picker={picker}
        />
      ) : data && address.sources !== null ? (
        <>
          <h1 className="text-big font-semibold">{name}</h1>
          {picker}
          <NotHere chosen={address.sources} what={name} />
        </>
      ) : data ? (
        <>
          <h1 className="text-big font-semibold">{name}</h1>
          <Notice
            title={metric.unknownTitle}
            action={
              <Link to={{ pathname: '/', search }} className={quietButton}>
                {metric.toOverview}
              </Link>
            }
          >
            {metric.unknown(key)}
          </Notice>
        </>
      ) : summary.isError ? (
        <>
          <h1 className="sr-only">{name}</h1>
          {picker}
          <ErrorNotice error={summary.error} retry={() => void summary.refetch()} />
        </>
      ) : (
        <div aria-busy="true">
          <h1 className="sr-only">{name}</h1>
          <span className="sr-only">{messages.loading}</span>
          <Skeleton className="h-8 w-48" />
          <Skeleton className="mt-3 h-11 w-64" />
          <Skeleton className="mt-3 h-5 w-80 max-w-full" />
          <div className="mt-8 rounded bg-surface p-4 shadow-surface sm:p-6">
            <Skeleton className="h-6 w-32" />
            <Skeleton className="mt-6 h-52 w-full sm:h-72" />
            <Skeleton className="mt-4 h-5 w-48" />
          </div>
        </div>
      )}
      <SavedAt query={summary} timeZone={tenant.timeZone} />
    </div>
  )
}

interface BodyProps {
  summary: Summary
  kpi: SummaryKpi
  insights: Insights | undefined
  address: ReturnType<typeof useMetricAddress>
  stale: boolean
  picker: React.ReactNode
}

function Body({ summary, kpi, insights, address, stale, picker }: BodyProps) {
  const { tenant } = useIdentity()
  const { search } = useLocation()
  const may = useMay('manage_numbers')
  const figure = useRef<HTMLDivElement>(null)
  const [picked, setPicked] = useState<string | null>(null)
  const before = beforeWords(summary)
  const change = describeChange(kpi, before, summary.compare)
  const style = { unit: shownUnit(kpi), currency: kpi.currency ?? summary.currency }
  const grain = address.grain ?? usualGrain(summary.dates.length)
  const annotations = useNotes(tenant.id, summary.from, summary.to, address.sources)
  const editor = useNoteEditor(summary)
  const found = useMemo(
    () => (insights?.insights ?? []).filter((one) => one.kpis.includes(kpi.key)),
    [insights, kpi.key],
  )
  const notes = useMemo(
    () => [
      ...notesOf(annotations.data ?? noAnnotations, (one) => one === kpi.key),
      ...unusualOf(found, kpi.key),
    ],
    [annotations.data, found, kpi.key],
  )
  const divided = kpi.dimensions.length > 0
  const division = useDivision(kpi.key)
  // An address may name what this number is not divided by.
  const only = divided ? division.only : null
  const { drawn, failed, retry } = useDrawn(summary, kpi, grain, only)
  const mayHaveDriver = divided && kpi.aggregation === 'sum'
  const channels = useBreakdown(
    tenant.id,
    mayHaveDriver ? kpi.key : null,
    'channel',
    address.span,
    address.compare,
    10,
  )
  const driver = channels.data && !channels.isPlaceholderData ? driverOf(channels.data) : null
  const lastKnown = [...summary.dates].reverse().find((_, i) => kpi.sparkline.at(-1 - i) !== null)
  const shownDay = picked !== null && picked >= summary.from && picked <= summary.to ? picked : null

  return (
    <div className={stale ? 'opacity-60 transition-opacity' : 'transition-opacity'}>
      <div className="flex flex-col gap-x-12 gap-y-3 lg:flex-row lg:items-start lg:justify-between">
        <div className="min-w-0 flex-1">
          <h1 className="text-lead font-semibold wrap-anywhere">{kpi.name}</h1>
          <p className="mt-1 flex flex-wrap items-baseline gap-x-4">
            <span className="text-huge font-semibold tracking-[-0.02em]">
              <Value
                value={kpi.value}
                {...style}
                status={kpi.status}
                reason={kpi.statusReason}
                alone
              />
            </span>
            {change && (
              <span className="text-lead">
                <ChangeText change={change} />
              </span>
            )}
          </p>
          {/* As tall as with what moved it, which is known later. */}
          <p
            className={`mt-1 max-w-prose ${mayHaveDriver && change?.sign ? 'min-h-18 sm:min-h-12' : 'min-h-12 sm:min-h-6'}`}
          >
            {withDriver(
              metricSentence(kpi, summary, before),
              driver && change?.sign ? driverWords(driver, style) : null,
            )}
          </p>
          <p className="max-w-prose text-small text-muted">
            {kpi.description} {metric.provenance.aggregation[kpi.aggregation]}
          </p>
        </div>
        {picker}
      </div>

      <div className="mt-5 grid gap-x-12 gap-y-8 xl:grid-cols-[minmax(0,1fr)_20rem]">
        <div className="min-w-0">
          <section
            aria-labelledby="chart-title"
            className="rounded bg-surface p-4 shadow-surface sm:p-6"
          >
            <div className="-mt-2 mb-1 flex flex-wrap items-center justify-between gap-x-6">
              <h2 id="chart-title" className="sr-only">
                {metric.chart}
              </h2>
              <GrainSwitch value={grain} onChange={address.setGrain} />
              <div className="flex flex-wrap items-center">
                {may && (
                  <button
                    type="button"
                    className="tap px-3 text-small font-semibold text-accent hover:underline"
                    onClick={() => {
                      editor.add(shownDay ?? lastKnown ?? summary.to)
                    }}
                  >
                    {metric.note.add}
                  </button>
                )}
                <ExportMenu {...{ summary, kpi, grain, figure, only }} sources={address.sources} />
              </div>
            </div>
            {only && (
              <OnlyChip
                {...only}
                onAll={() => {
                  division.setOnly(null)
                }}
              />
            )}
            <div ref={figure}>
              {drawn ? (
                <Chart
                  name={only ? `${kpi.name}, ${memberName(only.dimension, only.member)}` : kpi.name}
                  dates={drawn.dates}
                  status={drawn.status}
                  series={drawn.series}
                  {...style}
                  fromZero={kpi.unit !== 'ratio'}
                  grain={grain}
                  days={summary}
                  notes={notes}
                  {...(grain === 'day' ? { onPick: setPicked } : {})}
                />
              ) : failed ? (
                <LoadFailed error={failed} retry={retry} />
              ) : (
                <Skeleton className="h-64 w-full sm:h-84" />
              )}
            </div>
            {annotations.error && !annotations.data && (
              <p className="mt-3 text-small text-muted">
                {metric.notesFailed(sentenceOf(annotations.error))}
              </p>
            )}
            <NoteList
              name={kpi.name}
              notes={notes}
              most={6}
              {...(may ? { action: (note: ChartNote) => editor.actions(note) } : {})}
            />
          </section>
          {divided && (
            <Division
              kpi={kpi}
              span={address.span}
              compare={address.compare}
              before={before}
              division={division}
            />
          )}
          <Where
            kpi={kpi}
            day={shownDay ?? lastKnown ?? summary.to}
            from={summary.from}
            to={summary.to}
            onDay={setPicked}
            sources={address.sources}
          />
        </div>
        <div className="grid content-start gap-8 sm:grid-cols-2 xl:grid-cols-1">
          <GoalPanel kpi={kpi} currency={style.currency} />
          {found.length > 0 && (
            <section aria-labelledby="found">
              <h2 id="found" className="text-lead font-semibold">
                {metric.insights}
              </h2>
              <ul className="mt-1">
                {found.map((one) => (
                  <li
                    key={one.id}
                    className="relative border-b border-line py-2.5 pl-4 text-small last:border-b-0"
                  >
                    <span
                      aria-hidden="true"
                      className={`absolute top-[1.05rem] left-0 size-1.5 rounded-full ${marks[one.severity]}`}
                    />
                    {one.text}
                  </li>
                ))}
              </ul>
              <Link
                to={{ pathname: '/insights', search }}
                className="tap inline-flex items-center text-small text-accent hover:underline"
              >
                {later.actions.insights(insights?.insights.length ?? 0)}
              </Link>
            </section>
          )}
        </div>
      </div>
      <PrintNote business={tenant.name} summary={summary} />
      {editor.dialog}
    </div>
  )
}

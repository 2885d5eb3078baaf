import { useEffect, useMemo } from 'react'
import { Link, useSearchParams } from 'react-router'
import type { Summary, SummaryKpi } from '../../api/types'
import { Bars, OnlyChip } from '../../components/breakdown/Bars'
import { ChangeText } from '../../components/ChangeText'
import { Chart } from '../../components/chart/Chart'
import { primaryButton } from '../../components/buttons'
import { ErrorNotice, Notice } from '../../components/Notice'
import { PeriodBar } from '../../components/PeriodBar'
import { PrintNote } from '../../components/print/PrintNote'
import { SavedAt } from '../../components/SavedAt'
import { NotHere } from '../../components/sources/NotHere'
import { Skeleton } from '../../components/Skeleton'
import { Sparkline } from '../../components/Sparkline'
import { LoadFailed } from '../../components/ui'
import { Value } from '../../components/Value'
import {
  driverOf,
  driverWords,
  hasBars,
  memberName,
  notesOn,
  withDriver,
} from '../../lib/breakdown'
import { daysAlongside } from '../../lib/alongside'
import { describeChange } from '../../lib/change'
import { dayIn } from '../../lib/dates'
import { fullDay } from '../../lib/dayNames'
import { beforeWords, shownUnit } from '../../lib/kpis'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { isGone } from '../../lib/sources'
import { messages } from '../../messages'
import { breakdown } from '../../messages-breakdown'
import { GrainSwitch } from '../metric/GrainSwitch'
import { useMetricAddress, usualGrain } from '../metric/address'
import { useDrawn } from '../metric/drawn'
import { metricSentence } from '../metric/sentence'
import { useSummary } from '../overview/history'
import { dimensions, useChosenKpi, useDivision, writeOnly } from './address'
import { useBreakdown } from './queries'

const text = breakdown.page
const top = 6

/** What is asked of a website, in this order; those that it has are shown. */
const asked = [
  'web.sessions',
  'web.engagement_rate',
  'web.conversion_rate',
  'shop.revenue',
  'shop.transactions',
]

export default function Analytics() {
  const { tenant } = useIdentity()
  const address = useMetricAddress()
  const { span, compare } = address
  const today = dayIn(tenant.timeZone, new Date())
  const summary = useSummary(tenant.id, span, compare)
  const data = isGone(summary.error) ? undefined : summary.data
  const shown = useMemo(
    () => asked.flatMap((key) => data?.kpis.find((kpi) => kpi.key === key) ?? []),
    [data],
  )
  useEffect(() => {
    document.title = `${tenant.name} · ${text.title} · ${messages.productShort}`
  }, [tenant.name])

  const picker = (
    <PeriodBar
      period={address}
      days={data}
      today={today}
      timeZone={tenant.timeZone}
      business={tenant.name}
      sourcesOf="web."
    />
  )
  return (
    <div className="mx-auto max-w-[78rem] px-4 pt-3 pb-16 sm:px-8 lg:pt-8">
      <h1 className="sr-only">{text.title}</h1>
      {data && shown.length > 0 ? (
        <Body
          summary={data}
          kpis={shown}
          address={address}
          stale={summary.isPlaceholderData}
          picker={picker}
        />
      ) : data && address.sources !== null ? (
        <>
          {picker}
          <NotHere chosen={address.sources} what={text.numbers} />
        </>
      ) : data ? (
        <Empty summary={data} />
      ) : summary.isError ? (
        <>
          {picker}
          <ErrorNotice error={summary.error} retry={() => void summary.refetch()} />
        </>
      ) : (
        <Waiting picker={picker} />
      )}
      <SavedAt query={summary} timeZone={tenant.timeZone} />
    </div>
  )
}

function Empty({ summary }: { summary: Summary }) {
  const may = useMay('manage_integrations')
  const connected = summary.freshness.some((source) => source.connector === 'google-analytics')
  return connected ? (
    <Notice title={text.noNumbers}>{text.noNumbersText}</Notice>
  ) : (
    <Notice
      title={text.emptyTitle}
      action={
        may && (
          <Link to="/integrations" className={primaryButton}>
            {text.connect}
          </Link>
        )
      }
    >
      {text.empty}
    </Notice>
  )
}

interface BodyProps {
  summary: Summary
  kpis: readonly SummaryKpi[]
  address: ReturnType<typeof useMetricAddress>
  stale: boolean
  picker: React.ReactNode
}

function Body({ summary, kpis, address, stale, picker }: BodyProps) {
  const { tenant } = useIdentity()
  const { key, setKey } = useChosenKpi()
  const { only, setOnly } = useDivision('web')
  const sessions = kpis[0] as SummaryKpi
  const kpi = kpis.find((one) => one.key === key) ?? sessions
  const before = beforeWords(summary)
  const change = describeChange(kpi, before, summary.compare)
  const style = { unit: shownUnit(kpi), currency: kpi.currency ?? summary.currency }
  const grain = address.grain ?? usualGrain(summary.dates.length)
  const { drawn, failed, retry } = useDrawn(summary, kpi, grain, only)
  const { span, compare } = address
  const channel = useBreakdown(tenant.id, kpi.key, 'channel', span, compare, top)
  const device = useBreakdown(tenant.id, kpi.key, 'device', span, compare, top)
  const country = useBreakdown(tenant.id, kpi.key, 'country', span, compare, top)
  const page = useBreakdown(tenant.id, kpi.key, 'landing_page', span, compare, top)
  const queries = { channel, device, country, landing_page: page }
  const answers = dimensions.flatMap((one) => queries[one].data ?? [])
  const driver = channel.data && !channel.isPlaceholderData ? driverOf(channel.data) : null
  const since = answers.flatMap((one) => one.since ?? []).sort()[0]
  const notes = notesOn(answers)
  const [params] = useSearchParams()
  const further = new URLSearchParams(params)
  if (only) further.set('only', writeOnly(kpi.key, only))
  const detailsSearch = further.toString()

  return (
    <div className={stale ? 'opacity-60 transition-opacity' : 'transition-opacity'}>
      <div className="flex flex-col gap-x-12 gap-y-2 lg:flex-row lg:items-start lg:justify-between">
        <p className="min-h-19.5 min-w-0 max-w-[44rem] flex-1 text-lead font-semibold sm:min-h-16 sm:text-big sm:tracking-[-0.01em]">
          {withDriver(
            metricSentence(kpi, summary, before),
            driver && change?.sign ? driverWords(driver, style) : null,
          )}
        </p>
        {picker}
      </div>

      <div
        role="group"
        aria-label={text.choose}
        className="mt-3 grid grid-cols-2 gap-x-6 sm:grid-cols-3 lg:mt-6 lg:grid-cols-5 lg:gap-x-2"
      >
        {kpis.map((one) => {
          const on = one.key === kpi.key
          const moved = describeChange(one, before, summary.compare)
          return (
            <button
              key={one.key}
              type="button"
              aria-pressed={on}
              onClick={() => {
                setKey(one.key)
              }}
              className={`tip-host flex min-w-0 flex-col items-stretch rounded px-3 py-2 text-left max-lg:-mx-1 ${on ? 'bg-surface shadow-surface outline-1 outline-line' : 'hover:bg-sunken'}`}
            >
              <span
                className={`grow text-small wrap-anywhere ${on ? 'font-semibold' : 'text-muted'}`}
              >
                {one.name}
              </span>
              <span className="flex flex-wrap items-baseline gap-x-2.5 lg:block">
                <span className="text-lead font-semibold tracking-[-0.01em] sm:text-big lg:block">
                  <Value
                    value={one.value}
                    unit={shownUnit(one)}
                    currency={one.currency ?? summary.currency}
                    status={one.status}
                    reason={one.statusReason}
                  />
                </span>
                <span className="text-small lg:block">
                  {moved ? <ChangeText change={moved} /> : '\u00a0'}
                </span>
              </span>
              <Sparkline
                values={one.sparkline}
                status={one.dayStatus}
                comparison={daysAlongside(summary, one.comparison).values}
                className="mt-1"
              />
            </button>
          )
        })}
      </div>

      <section
        aria-labelledby="chart-title"
        className="mt-4 rounded bg-surface p-4 shadow-surface sm:p-6"
      >
        <div className="-mt-2 mb-1 flex flex-wrap items-center justify-between gap-x-6">
          <h2 id="chart-title" className="text-lead font-semibold">
            {text.chart(kpi.name)}
          </h2>
          <div className="flex flex-wrap items-center gap-x-4">
            <GrainSwitch value={grain} onChange={address.setGrain} />
            <Link
              to={{ pathname: `/metrics/${kpi.key}`, search: detailsSearch }}
              className="tap inline-flex items-center text-small text-accent hover:underline"
            >
              {breakdown.details(kpi.name)}
            </Link>
          </div>
        </div>
        {only && (
          <OnlyChip
            {...only}
            onAll={() => {
              setOnly(null)
            }}
          />
        )}
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
          />
        ) : failed ? (
          <LoadFailed error={failed} retry={retry} />
        ) : (
          <Skeleton className="h-64 w-full sm:h-84" />
        )}
      </section>

      <h2 className="sr-only">{text.four}</h2>
      <div className="mt-8 grid gap-x-8 gap-y-6 sm:grid-cols-2 xl:grid-cols-4">
        {dimensions.map((one) => (
          <section key={one} aria-labelledby={`by-${one}`} className="min-w-0">
            <h3 id={`by-${one}`} className="font-semibold">
              {breakdown.dimensions[one].title}
            </h3>
            <div className="-mx-2 mt-1">
              <Bars
                dimension={one}
                query={queries[one]}
                before={before}
                rows={top}
                chosen={only?.dimension === one ? only.member : null}
                onChoose={(member) => {
                  setOnly(member === null ? null : { dimension: one, member })
                }}
              />
            </div>
          </section>
        ))}
      </div>
      <ul className="mt-2 max-w-prose space-y-1 text-small text-muted">
        {answers.some(hasBars) && <li className="print:hidden">{text.hint}</li>}
        {notes.map((note) => (
          <li key={note}>{note}</li>
        ))}
        {since !== undefined && since <= summary.from && <li>{breakdown.since(fullDay(since))}</li>}
      </ul>
      <PrintNote business={tenant.name} summary={summary} />
    </div>
  )
}

function Waiting({ picker }: { picker: React.ReactNode }) {
  return (
    <div aria-busy="true">
      <span className="sr-only">{messages.loading}</span>
      <div className="flex flex-col gap-x-12 gap-y-2 lg:flex-row lg:items-start lg:justify-between">
        <div className="min-h-19.5 max-w-[44rem] flex-1 sm:min-h-16">
          <Skeleton className="mt-1 h-6 w-4/5 sm:h-7" />
          <Skeleton className="mt-2 h-6 w-3/5 sm:h-7" />
        </div>
        {picker}
      </div>
      <div className="mt-3 grid grid-cols-2 gap-x-6 sm:grid-cols-3 lg:mt-6 lg:grid-cols-5 lg:gap-x-2">
        {asked.map((key) => (
          <div key={key} className="px-3 py-2">
            <Skeleton className="my-0.5 h-4 w-20" />
            <Skeleton className="my-1 h-6 w-24" />
            <Skeleton className="mt-1 h-7 w-full" />
          </div>
        ))}
      </div>
      <div className="mt-4 rounded bg-surface p-4 shadow-surface sm:p-6">
        <Skeleton className="h-6 w-40" />
        <Skeleton className="mt-6 h-52 w-full sm:h-72" />
        <Skeleton className="mt-4 h-5 w-48" />
      </div>
      <div className="mt-8 grid gap-x-8 gap-y-6 sm:grid-cols-2 xl:grid-cols-4">
        {dimensions.map((one) => (
          <div key={one}>
            <Skeleton className="h-5 w-28" />
            {Array.from({ length: top }, (_, i) => (
              <Skeleton key={i} className="mt-4 h-7 w-full" />
            ))}
          </div>
        ))}
      </div>
    </div>
  )
}

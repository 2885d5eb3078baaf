import { lazy, Suspense, useEffect, useMemo, type ReactNode } from 'react'
import { Link } from 'react-router'
import type { Annotation, AutomationPerformance } from '../../api/types'
import { ChangeText } from '../../components/ChangeText'
import { Chart, type ChartSeries } from '../../components/chart/Chart'
import { NoteList } from '../../components/chart/NoteList'
import { notesOf } from '../../components/chart/notes'
import { useNotes } from '../../components/chart/useNotes'
import { primaryButton } from '../../components/buttons'
import { ErrorNotice, Notice } from '../../components/Notice'
import { PeriodBar } from '../../components/PeriodBar'
import { PrintNote } from '../../components/print/PrintNote'
import { SavedAt } from '../../components/SavedAt'
import { NotHere } from '../../components/sources/NotHere'
import { Skeleton } from '../../components/Skeleton'
import { Value } from '../../components/Value'
import { automationNotes, automationSentence, isFailing } from '../../lib/automation'
import { describeChange, type Change } from '../../lib/change'
import { dayIn, daysBetween } from '../../lib/dates'
import { formatNumber, type ShownUnit } from '../../lib/format'
import { beforeWords } from '../../lib/kpis'
import { useAddress, usePeriod } from '../../lib/range'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { isGone } from '../../lib/sources'
import { messages } from '../../messages'
import { later } from '../../messages-later'
import { lookEvery, useAutomation } from './queries'
import { Beside } from './Beside'
import { Workflows } from './Workflows'

// After the totals: what they rest on.
const Runs = lazy(() => import('./Runs'))
const FlowRuns = lazy(() => import('./FlowRuns'))

const text = later.automation
const none: readonly Annotation[] = []

export default function Automation() {
  const { tenant } = useIdentity()
  const mayConnect = useMay('manage_integrations')
  const period = usePeriod()
  const [address, change] = useAddress()
  const flow = address.get('flow')
  const showFlow = (id: string | null) => {
    change({ flow: id })
  }
  const performance = useAutomation(tenant.id, period.span, period.compare, true, lookEvery)
  const data = isGone(performance.error) ? undefined : performance.data
  const today = dayIn(tenant.timeZone, new Date())

  useEffect(() => {
    document.title = `${tenant.name} · ${text.title} · ${messages.productShort}`
  }, [tenant.name])

  // Nothing ever ran and nothing can be measured: no automation source.
  const empty =
    data?.status === 'not_measurable' &&
    data.workflows.length === 0 &&
    data.totals.executions === null

  return (
    <div className="mx-auto max-w-[78rem] px-4 pb-16 sm:px-8">
      <h1 className="sr-only">{text.title}</h1>
      <div className="flex flex-col gap-2 pt-3 lg:flex-row lg:items-start lg:justify-between lg:gap-12 lg:pt-8">
        <div className="min-h-24 min-w-0 max-w-[44rem] flex-1 lg:min-h-28">
          {data && !empty && <Lead data={data} />}
          {empty && period.sources !== null && (
            <NotHere chosen={period.sources} what={text.automations} />
          )}
          {empty && period.sources === null && (
            <Notice
              title={text.emptyTitle}
              action={
                mayConnect && (
                  <Link to="/integrations" className={primaryButton}>
                    {text.connect}
                  </Link>
                )
              }
            >
              <p>{text.empty}</p>
              <p className="mt-2">{text.emptyHow}</p>
            </Notice>
          )}
          {!data && !performance.isError && (
            <>
              <Skeleton className="mt-1 h-6 w-4/5 sm:h-7" />
              <Skeleton className="mt-2 h-6 w-3/5 sm:h-7" />
            </>
          )}
        </div>
        {!(empty && period.sources === null) && (
          <PeriodBar
            period={period}
            days={data}
            today={today}
            timeZone={tenant.timeZone}
            withToday
            business={tenant.name}
            sourcesOf="automation."
          />
        )}
      </div>
      {data ? (
        !empty && (
          <div
            className={
              performance.isPlaceholderData ? 'opacity-60 transition-opacity' : 'transition-opacity'
            }
          >
            <Facts data={data} />
            <Suspense fallback={<Skeleton className="mt-8 h-48 w-full" />}>
              <Runs
                tenantId={tenant.id}
                timeZone={tenant.timeZone}
                sources={period.sources}
                onFlow={showFlow}
              />
            </Suspense>
            <Daily data={data} tenantId={tenant.id} sources={period.sources} />
            {/* Revenue is no automation's: beside some of them it would be compared with what others earned. */}
            {period.sources === null && <Beside data={data} tenantId={tenant.id} />}
            <Workflows
              workflows={data.workflows}
              currency={data.currency}
              stepDays={data.trendStepDays}
              asked={{ ...period.span, compare: period.compare }}
              onFlow={showFlow}
            />
            <PrintNote business={tenant.name} summary={data} />
            {flow !== null && (
              <Suspense fallback={null}>
                <FlowRuns
                  key={flow}
                  id={flow}
                  data={data}
                  tenantId={tenant.id}
                  timeZone={tenant.timeZone}
                  sources={period.sources}
                  onClose={() => {
                    showFlow(null)
                  }}
                />
              </Suspense>
            )}
          </div>
        )
      ) : performance.isError ? (
        <ErrorNotice error={performance.error} retry={() => void performance.refetch()} />
      ) : (
        <div aria-busy="true">
          <span className="sr-only">{messages.loading}</span>
          <Skeleton className="mt-4 h-32 w-full sm:h-16" />
          <div className="mt-8 rounded bg-surface p-4 shadow-surface sm:p-6">
            <Skeleton className="h-6 w-32" />
            <Skeleton className="mt-8 h-52 w-full sm:h-72" />
            <Skeleton className="mt-4 h-5 w-48" />
          </div>
        </div>
      )}
      <SavedAt query={performance} timeZone={tenant.timeZone} />
    </div>
  )
}

function Lead({ data }: { data: AutomationPerformance }) {
  const notes = automationNotes(data)
  return (
    <>
      <p className="text-lead font-semibold sm:text-big sm:tracking-[-0.01em]">
        {automationSentence(data)}
      </p>
      {notes.map((note) => (
        <p key={note} className="mt-1.5 text-small text-muted sm:text-body">
          {note}
        </p>
      ))}
    </>
  )
}

interface Fact {
  name: string
  value: number | null
  unit: ShownUnit
  /** The KPI whose change stands below; none where there is nothing to compare. */
  kpi?: string
  tone?: string
}

function Facts({ data }: { data: AutomationPerformance }) {
  const { totals } = data
  const days = daysBetween(data.from, data.to) + 1
  const facts: Fact[] = [
    {
      name: text.facts.successRate,
      value: totals.successRate,
      unit: 'ratio',
      kpi: 'automation.success_rate',
    },
    {
      name: text.facts.executions,
      value: totals.executions,
      unit: 'count',
      kpi: 'automation.executions',
    },
    {
      name: text.facts.failed,
      value: totals.failed,
      unit: 'count',
      kpi: 'automation.failed',
      ...(isFailing(totals) ? { tone: 'text-trouble' } : {}),
    },
    {
      name: text.facts.duration,
      value: totals.averageDurationMs,
      unit: 'milliseconds',
      kpi: 'automation.avg_duration',
    },
    totals.lostValue !== null
      ? { name: text.facts.lost, value: totals.lostValue, unit: 'currency' }
      : { name: text.facts.lost, value: totals.lostMinutes, unit: 'minutes' },
    {
      name: text.facts.value,
      value: totals.valueSaved,
      unit: 'currency',
      kpi: 'automation.value_saved',
    },
    { name: text.facts.cost, value: totals.cost, unit: 'currency' },
    { name: text.facts.roi, value: totals.roi, unit: 'times', kpi: 'automation.roi' },
  ]
  const changes = new Map(data.changes.map((one) => [one.key, one]))
  const change = (key: string | undefined) => {
    const one = key === undefined ? undefined : changes.get(key)
    return one && describeChange(one, beforeWords(data), data.compare)
  }
  return (
    <dl className="mt-2 grid grid-cols-3 gap-x-2 sm:gap-x-6 xl:mt-6 xl:grid-cols-9 xl:gap-x-0">
      {facts.map((fact, i) => {
        const moved = change(fact.kpi)
        return (
          <Cell key={fact.name} name={fact.name} tone={fact.tone}>
            <Value
              value={fact.value}
              unit={fact.unit}
              currency={data.currency}
              status={data.status}
              alone
              atRight={i % 3 === 2}
            />
            <span className="block min-h-5 text-small font-normal tracking-normal">
              {moved ? <Moved change={moved} /> : '\u00a0'}
            </span>
          </Cell>
        )
      })}
      <Cell name={text.facts.payback} tone={undefined}>
        <span title={text.paybackTip(formatNumber(days, { unit: 'count' }))}>
          {totals.paybackDays === null
            ? messages.notMeasurable
            : totals.paybackDays > days
              ? text.notPaidBack
              : totals.paybackDays < 1
                ? formatNumber(totals.paybackDays * 24 * 60, { unit: 'minutes' })
                : text.days(
                    formatNumber(totals.paybackDays, { unit: 'number' }, 'table'),
                    totals.paybackDays === 1,
                  )}
        </span>
      </Cell>
    </dl>
  )
}

/** Why there is no percentage is short here and may wrap: beside the edge of a phone a hint has no room. */
function Moved({ change }: { change: Change }) {
  return change.sign === null ? (
    <span className="text-muted" title={change.spoken}>
      <span aria-hidden="true">{change.text}</span>
      <span className="sr-only">{change.spoken}</span>
    </span>
  ) : (
    <ChangeText change={change} />
  )
}

function Cell({
  name,
  tone = '',
  children,
}: {
  name: string
  tone: string | undefined
  children: ReactNode
}) {
  return (
    <div className="border-t border-line py-2 xl:border-t-0 xl:border-l xl:px-3 xl:py-1 xl:first:border-l-0 xl:first:pl-0">
      <dt className="text-small wrap-anywhere text-muted">{name}</dt>
      <dd className={`text-lead font-semibold tracking-[-0.01em] sm:text-big xl:text-lead ${tone}`}>
        {children}
      </dd>
    </div>
  )
}

function Daily({
  data,
  tenantId,
  sources,
}: {
  data: AutomationPerformance
  tenantId: string
  sources: string | null
}) {
  const { data: annotations = none } = useNotes(tenantId, data.from, data.to, sources)
  const notes = useMemo(
    () => notesOf(annotations, (kpi) => kpi.startsWith('automation.')),
    [annotations],
  )
  const chart = useMemo(() => {
    const series: ChartSeries[] = [
      {
        name: text.succeeded,
        values: data.daily.map((day) => day.succeeded),
        tone: 'good',
        kind: 'bar',
      },
      { name: text.failed, values: data.daily.map((day) => day.failed), tone: 'bad', kind: 'bar' },
    ]
    return {
      dates: data.daily.map((day) => day.date),
      status: data.daily.map((day) => day.status),
      series,
    }
  }, [data])
  return (
    <section aria-labelledby="daily" className="mt-8 rounded bg-surface p-4 shadow-surface sm:p-6">
      <h2 id="daily" className="mb-2 text-lead font-semibold">
        {text.chart}
      </h2>
      <Chart
        name={text.chart}
        dates={chart.dates}
        status={chart.status}
        series={chart.series}
        unit="count"
        stacked
        notes={notes}
      />
      <NoteList name={text.chart} notes={notes} />
    </section>
  )
}

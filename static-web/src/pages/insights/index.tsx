import { useEffect, useRef, useState } from 'react'
import { Link } from 'react-router'
import type { Insight, Insights as Answer } from '../../api/types'
import { Menu, useCloseMenu } from '../../components/Menu'
import { ErrorNotice } from '../../components/Notice'
import { PeriodBar } from '../../components/PeriodBar'
import { SavedAt } from '../../components/SavedAt'
import { Skeleton } from '../../components/Skeleton'
import { Failed, Rows } from '../../components/ui'
import { addDays, dayIn, dayName } from '../../lib/dates'
import { shortDay } from '../../lib/dayNames'
import { formatNumber, formatPercent } from '../../lib/format'
import { usePeriod } from '../../lib/range'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { isGone } from '../../lib/sources'
import { messages } from '../../messages'
import { insights as text } from '../../messages-insights'
import { marks } from '../overview/Brief'
import { useInsights } from '../overview/history'
import { chartOf, holds, termsOf } from './arithmetic'
import { useAside, type Aside } from './queries'

export default function Insights() {
  const { tenant } = useIdentity()
  const period = usePeriod()
  const today = dayIn(tenant.timeZone, new Date())
  const query = useInsights(tenant.id, period.span, period.compare)
  const data = isGone(query.error) ? undefined : query.data
  useEffect(() => {
    document.title = `${tenant.name} · ${text.title} · ${messages.productShort}`
  }, [tenant.name])
  return (
    <div className="mx-auto max-w-[78rem] px-4 pb-16 sm:px-8">
      <div className="flex flex-col gap-2 pt-3 lg:flex-row lg:items-start lg:justify-between lg:gap-12 lg:pt-8">
        <h1 className="text-big font-semibold tracking-[-0.01em]">{text.title}</h1>
        <PeriodBar
          period={period}
          days={data}
          today={today}
          timeZone={tenant.timeZone}
          sourcesOf=""
        />
      </div>
      {data ? (
        <div
          className={`mt-6 grid gap-x-12 gap-y-10 xl:grid-cols-[minmax(0,1fr)_24rem] ${query.isPlaceholderData ? 'opacity-60' : ''}`}
        >
          <Standing data={data} />
          <Health data={data} />
        </div>
      ) : query.isError ? (
        <ErrorNotice error={query.error} retry={() => void query.refetch()} />
      ) : (
        <div className="mt-6 grid gap-x-12 gap-y-10 xl:grid-cols-[minmax(0,1fr)_24rem]">
          <Rows count={5} />
          <Skeleton className="h-80 w-full" />
        </div>
      )}
      <SavedAt query={query} timeZone={tenant.timeZone} />
    </div>
  )
}

/** The score and how it comes about. */
function Health({ data }: { data: Answer }) {
  const health = data.healthScore
  const terms = termsOf(health.parts)
  return (
    <section
      aria-labelledby="health"
      className="h-fit rounded bg-surface p-4 shadow-surface sm:p-6"
    >
      <h2 id="health" className="text-lead font-semibold">
        {text.health}
      </h2>
      <p className="mt-1 flex items-baseline gap-3">
        <span className="num shrink-0 text-huge font-semibold tracking-[-0.02em] whitespace-nowrap">
          {health.score ?? messages.notMeasurable}
        </span>
        {health.score !== null && (
          <span className="font-semibold">{text.of(health.word, health.without)}</span>
        )}
      </p>
      {health.score !== null && (
        <p className="text-small text-muted">
          {text.change(health.change, health.previous, health.moved?.name)}
        </p>
      )}
      <p className="text-small text-muted">{text.asOf(dayName(health.asOf))}</p>
      <ul className="mt-3">
        {health.parts.map((part) => (
          <li key={part.key} className="border-t border-line py-3">
            <p className="flex items-baseline justify-between gap-4">
              <span className="font-semibold">{part.name}</span>
              <span className="num text-small">
                {part.score === null ? (
                  <span className="text-muted">{text.leftOut}</span>
                ) : (
                  <>
                    <span className="font-semibold">{text.points(part.score)}</span>
                    <span className="text-muted"> · {text.weight(formatPercent(part.weight))}</span>
                  </>
                )}
              </span>
            </p>
            {part.score !== null && (
              <div aria-hidden="true" className="mt-1.5 h-1.5 rounded-full bg-sunken">
                <div
                  className={`h-full rounded-full ${part.score < 50 ? 'bg-attention' : 'bg-accent'}`}
                  style={{ width: `${part.score}%` }}
                />
              </div>
            )}
            <p className="mt-1.5 text-small text-muted">{part.why}</p>
          </li>
        ))}
      </ul>
      <div className="border-t border-line pt-3 text-small">
        <p>{health.why}</p>
        {health.score !== null && (
          <p className="num mt-1 text-muted">
            {text.arithmetic(terms, health.score, holds(health.parts, health.score))}
          </p>
        )}
      </div>
    </section>
  )
}

/** What stands out, and what was put aside. */
function Standing({ data }: { data: Answer }) {
  const { tenant } = useIdentity()
  const { span, compare } = usePeriod()
  const may = useMay('manage_numbers')
  const aside = useAside(tenant.id, span, compare)
  // Where the list had something that was just put aside: there is its way back.
  const [left, setLeft] = useState<{ insight: Insight; to: Aside; at: number } | null>(null)
  const undo = useRef<HTMLButtonElement>(null)
  useEffect(() => {
    undo.current?.focus()
  }, [left])
  const put = (insight: Insight, to: Aside, at: number) => {
    setLeft({ insight, to, at })
    aside.mutate(
      { insight, to },
      {
        onError: () => {
          setLeft(null)
        },
      },
    )
  }
  const back = (insight: Insight) => {
    setLeft(null)
    aside.mutate({ insight, to: { state: 'open' } })
  }
  const gone = left && (
    <li className="flex flex-wrap items-center justify-between gap-x-4 border-t border-line py-2 text-small text-muted">
      <span role="status">
        {left.to.state === 'snoozed' ? text.snoozed(dayName(left.to.until)) : text.dismissed}
      </span>
      <button
        ref={undo}
        type="button"
        className="tap px-2 font-semibold text-accent hover:underline"
        onClick={() => {
          back({ ...left.insight, state: left.to.state })
        }}
      >
        {text.undo}
      </button>
    </li>
  )
  const asideShown = data.setAside.filter((one) => one.id !== left?.insight.id)
  return (
    <div className="min-w-0">
      <section aria-labelledby="standing">
        <h2 id="standing" className="text-lead font-semibold">
          {text.list}
        </h2>
        <p className="text-small text-muted">{text.listLead}</p>
        <Failed error={aside.error} />
        <ul className="mt-3">
          {data.insights.map((one, i) => (
            <Entry
              key={one.id}
              of={one}
              today={dayIn(tenant.timeZone, new Date())}
              before={left?.at === i ? gone : null}
              put={
                may
                  ? (to) => {
                      put(one, to, i)
                    }
                  : null
              }
            />
          ))}
          {left && left.at >= data.insights.length && gone}
        </ul>
        {data.insights.length === 0 && !left && (
          <p className="border-t border-line py-6 text-muted">{text.none}</p>
        )}
      </section>
      {asideShown.length > 0 && (
        <section aria-labelledby="aside" className="mt-10">
          <h2 id="aside" className="text-lead font-semibold">
            {text.aside}
          </h2>
          <p className="text-small text-muted">{text.asideLead}</p>
          <ul className="mt-3">
            {asideShown.map((one) => (
              <li
                key={one.id}
                className="flex items-center justify-between gap-4 border-t border-line py-2"
              >
                <span className="min-w-0 text-small">
                  {one.text}
                  <span className="block text-muted">
                    {one.until ? text.snoozed(dayName(one.until)) : text.dismissed}
                  </span>
                </span>
                {may && (
                  <button
                    type="button"
                    aria-label={text.showOf(one.text)}
                    className="tap shrink-0 px-2 text-small text-accent hover:underline"
                    onClick={() => {
                      back(one)
                    }}
                  >
                    {text.show}
                  </button>
                )}
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

/** How many days a period has, which stands beside each of its numbers, is no evidence. */
const shownEvidence = (evidence: Insight['evidence']) =>
  evidence.filter((proof) => proof.label !== 'Days')

function Entry({
  of,
  today,
  before,
  put,
}: {
  of: Insight
  today: string
  before: React.ReactNode
  put: ((to: Aside) => void) | null
}) {
  const { sources } = usePeriod()
  return (
    <>
      {before}
      <li className="border-t border-line py-4">
        <p className="flex flex-wrap items-center justify-between gap-x-4 text-small">
          <span className="inline-flex items-center gap-2">
            <span aria-hidden="true" className={`size-2 rounded-full ${marks[of.severity]}`} />
            <span
              className={of.severity === 'trouble' ? 'font-semibold text-trouble' : 'text-muted'}
            >
              {text.severity[of.severity]}
            </span>
          </span>
          {of.moneyAtStake !== null && (
            <span className="num font-semibold">
              {text.stake(
                formatNumber(
                  of.moneyAtStake,
                  { unit: 'currency', currency: of.currency ?? undefined },
                  'table',
                ),
              )}
            </span>
          )}
        </p>
        <p className="mt-1 max-w-prose">{of.text}</p>
        {shownEvidence(of.evidence).length > 0 && (
          <dl
            aria-label={text.evidence}
            className="num mt-2 grid gap-x-8 text-small sm:grid-cols-2"
          >
            {shownEvidence(of.evidence).map((proof) => {
              const to = chartOf(proof, sources)
              return (
                <div
                  key={proof.label + proof.shown + (proof.from ?? '') + (proof.kpi ?? '')}
                  className="flex items-baseline justify-between gap-4"
                >
                  <dt className="min-w-0 text-muted">
                    {to ? (
                      <Link
                        to={to}
                        className="inline-flex items-center underline decoration-line-strong underline-offset-4 max-lg:tap hover:text-ink"
                      >
                        {proof.label}
                      </Link>
                    ) : (
                      proof.label
                    )}
                    {proof.kpi && proof.from && proof.to && (
                      <>
                        {' '}
                        {proof.from === proof.to
                          ? shortDay(proof.from)
                          : `${shortDay(proof.from)} – ${shortDay(proof.to)}`}
                      </>
                    )}
                  </dt>
                  <dd className="shrink-0 font-semibold">{proof.shown}</dd>
                </div>
              )
            })}
          </dl>
        )}
        <div className="-mb-2 mt-1 flex flex-wrap items-center gap-x-2 text-small">
          <Link
            to={of.path}
            aria-label={`${text.look(of.path, of.rule)}: ${of.text}`}
            className="tap inline-flex items-center pr-2 font-semibold text-accent hover:underline"
          >
            {text.look(of.path, of.rule)}
          </Link>
          {put && (
            <>
              <button
                type="button"
                aria-label={text.dismissOf(of.text)}
                className="tap px-2 text-muted hover:text-ink"
                onClick={() => {
                  put({ state: 'dismissed' })
                }}
              >
                {text.dismiss}
              </button>
              <Menu
                label={text.snoozeOf(of.text)}
                button={text.snooze}
                buttonClass="tap px-2 text-muted hover:text-ink"
              >
                <p className="px-3 pt-2 text-small text-muted">{text.snoozeFor}</p>
                <Snooze
                  today={today}
                  onPick={(until) => {
                    put({ state: 'snoozed', until })
                  }}
                />
              </Menu>
            </>
          )}
        </div>
      </li>
    </>
  )
}

function Snooze({ today, onPick }: { today: string; onPick: (until: string) => void }) {
  const close = useCloseMenu()
  return [1, 7, 30, 90].map((days) => (
    <button
      key={days}
      type="button"
      className="tap flex w-full items-center justify-between gap-6 rounded px-3 text-left hover:bg-sunken"
      onClick={() => {
        close()
        onPick(addDays(today, days))
      }}
    >
      {text.days[days]}
      <span className="num text-muted">{shortDay(addDays(today, days))}</span>
    </button>
  ))
}

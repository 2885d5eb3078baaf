import { useQuery } from '@tanstack/react-query'
import { useId, type ReactNode } from 'react'
import { api, query } from '../../api/client'
import type { Provenance, ProvenancePart, SummaryKpi } from '../../api/types'
import { Skeleton } from '../../components/Skeleton'
import { inputClass, sentenceOf } from '../../components/ui'
import { Value } from '../../components/Value'
import { clock } from '../../lib/dates'
import { fullDay } from '../../lib/dayNames'
import { formatNumber } from '../../lib/format'
import { formatApart } from '../../lib/formatApart'
import { shownUnit } from '../../lib/kpis'
import { useSources } from '../../components/sources/useSources'
import { useIdentity } from '../../lib/session'
import type { Source } from '../../lib/sources'
import { messages } from '../../messages'
import { metric } from '../../messages-metric'
import { flagsOf, readable } from './parts'

const text = metric.provenance

interface Props {
  kpi: SummaryKpi
  day: string
  from: string
  to: string
  onDay: (day: string) => void
  /** What the page is narrowed to; null for all. */
  sources: string | null
}

/** Where the number of a day comes from: how it is computed, from what, and who told it when. */
export function Where({ kpi, day, from, to, onDay, sources }: Props) {
  const { tenant } = useIdentity()
  const all = useSources(tenant.id)
  const id = useId()
  const found = useQuery({
    queryKey: ['provenance', tenant.id, kpi.key, day, sources],
    queryFn: ({ signal }) =>
      api.get<Provenance>(
        `metrics/provenance${query({ kpi: kpi.key, date: day, sources: sources ?? undefined })}`,
        { signal, tenantId: tenant.id },
      ),
    placeholderData: (before, asked) => (asked?.queryKey[1] === tenant.id ? before : undefined),
  })
  const { data } = found
  return (
    <section aria-labelledby={`${id}-title`} className="mt-10">
      <div className="flex flex-wrap items-end justify-between gap-x-6 gap-y-2">
        <div>
          <h2 id={`${id}-title`} className="text-lead font-semibold">
            {text.title}
          </h2>
          <p className="text-small text-muted print:hidden">{text.hint}</p>
          {/* On paper there is no field that says it. */}
          <p className="hidden text-small text-muted print:block">{fullDay(day)}</p>
        </div>
        <label className="flex items-center gap-2 text-small text-muted">
          {text.day}
          <input
            type="date"
            min={from}
            max={to}
            value={day}
            onChange={(event) => {
              if (event.target.value) onDay(event.target.value)
            }}
            className={`${inputClass} w-auto border-line-strong text-ink`}
          />
        </label>
      </div>
      {data ? (
        <div aria-live="polite" className={found.isPlaceholderData ? 'opacity-60' : ''}>
          <Answer of={data} kpi={kpi} sources={all ?? []} />
        </div>
      ) : found.error ? (
        <p role="alert" className="mt-3 text-small">
          {text.failed} {sentenceOf(found.error)}{' '}
          <button
            type="button"
            className="tap font-semibold text-accent"
            onClick={() => void found.refetch()}
          >
            {messages.errors.retry}
          </button>
        </p>
      ) : (
        <div aria-busy="true">
          <Skeleton className="mt-4 h-5 w-64" />
          <Skeleton className="mt-3 h-24 w-full" />
        </div>
      )}
    </section>
  )
}

function Answer({
  of,
  kpi,
  sources,
}: {
  of: Provenance
  kpi: SummaryKpi
  sources: readonly Source[]
}) {
  const style = {
    unit: shownUnit({ key: of.kpi, unit: of.unit }),
    currency: of.currency ?? undefined,
  }
  return (
    <>
      <p className="mt-3 flex flex-wrap items-baseline gap-x-3">
        <span className="text-big font-semibold tracking-[-0.02em]">
          <Value value={of.value} {...style} precision="exact" reason={of.statusReason} alone />
        </span>
        <span className="text-small text-muted">
          {messages.status[of.status]}
          {of.statusReason ? `. ${of.statusReason}` : ''}
        </span>
      </p>
      <dl className="mt-2 text-small">
        <Fact name={text.formula} screenOnly={of.formula === null}>
          {of.formula ?? text.stored}
        </Fact>
        {of.settings.length > 0 && (
          <Fact name={text.settings}>
            {of.settings
              .map(
                ({ name, value }) =>
                  `${name}: ${value === null ? text.notSet : formatNumber(value, { unit: 'number' }, 'exact')}`,
              )
              .join(' · ')}
          </Fact>
        )}
      </dl>
      {of.parts.length === 0 ? (
        <p className="mt-3 text-small text-muted">{text.noParts}</p>
      ) : (
        <ul aria-label={text.parts} className="mt-3">
          {of.parts.map((part) => (
            <Part
              key={part.kpi + part.connector + (part.integrationId ?? '')}
              of={part}
              // Of several the same number came from: which this is.
              owner={
                of.parts.some((other) => other !== part && other.kpi === part.kpi)
                  ? (sources.find(({ id }) => id === (part.integrationId ?? 'push'))?.name ?? null)
                  : null
              }
              alone={of.parts.length === 1 && part.kpi === kpi.key}
              currency={part.currency ?? of.currency ?? undefined}
            />
          ))}
        </ul>
      )}
    </>
  )
}

function Part({
  of,
  owner,
  alone,
  currency,
}: {
  of: ProvenancePart
  owner: string | null
  /** The number is this one part: its value stands above. */
  alone: boolean
  currency: string | undefined
}) {
  const { tenant } = useIdentity()
  const at = (instant: string | null) =>
    instant === null ? null : clock(instant, tenant.timeZone, new Date())
  const style = { unit: shownUnit({ key: of.kpi, unit: of.unit }), currency }
  const changed = (when: string, was: number, is: number | null) => {
    const shown = formatApart(is === null ? [was] : [was, is], style, 'exact')
    return text.restatement(when, shown[0] ?? '', shown[1] ?? text.withdrawn)
  }
  const flags = flagsOf(of)
  // What says nothing, or only leads to the logs, stays off paper.
  const facts: [name: string, said: ReactNode, screenOnly?: boolean][] = [
    [text.source, of.source ?? of.connector],
    [text.instance, of.instance],
    [text.zone, of.sourceTimeZone.replaceAll('_', ' ')],
    [
      text.broughtBy,
      of.broughtBy && (
        <>
          {text.by[of.broughtBy]}
          {of.runId && <span className="print:hidden">, {text.run(of.runId)}</span>}
        </>
      ),
    ],
    [text.fetched, at(of.fetchedAt)],
    [text.first, at(of.firstSeenAt)],
    [text.changed, at(of.changedAt)],
    [
      text.flags,
      of.requests.length === 0
        ? null
        : [flags.sampled ? text.sampled : null, flags.thresholded ? text.thresholded : null]
            .filter(Boolean)
            .join(', ') || text.noFlags,
      !flags.sampled && !flags.thresholded,
    ],
  ]
  return (
    <li className="border-t border-line py-3">
      {!alone && (
        <p className="mb-1 flex items-baseline justify-between gap-4">
          <span className="font-semibold">{[of.name, owner].filter(Boolean).join(' · ')}</span>
          <span className="num font-semibold">
            <Value value={of.value} {...style} precision="exact" atRight />
          </span>
        </p>
      )}
      <dl className="text-small sm:columns-2 sm:gap-10">
        {facts.map(
          ([name, said, screenOnly]) =>
            said && (
              <Fact key={name} name={name} screenOnly={screenOnly}>
                {said}
              </Fact>
            ),
        )}
      </dl>
      {of.restatements.length > 0 && (
        <div className="mt-2 text-small">
          <p className="text-muted">{text.restated}</p>
          <ul className="num">
            {of.restatements.map((one) => (
              <li key={one.at}>{changed(at(one.at) ?? '', one.oldValue, one.newValue)}</li>
            ))}
          </ul>
        </div>
      )}
      {of.requests.length > 0 && (
        <details className="mt-1 text-small">
          <summary className="tap inline-flex items-center text-accent hover:underline">
            {text.requests(of.requests.length)}
          </summary>
          <ul className="space-y-3">
            {of.requests.map((one) => (
              <li key={one.operation + one.fetchedAt + (one.request ?? '')}>
                <p>
                  <code>{one.operation}</code>{' '}
                  <span className="num text-muted">
                    {[at(one.fetchedAt), text.rows(one.rows)].join(' · ')}
                  </span>
                </p>
                {one.request && (
                  // Focusable, because what scrolls must be reachable without a mouse.
                  <pre
                    role="region"
                    aria-label={one.operation}
                    tabIndex={0}
                    className="mt-1 max-h-64 overflow-auto rounded bg-sunken p-3 text-small"
                  >
                    {readable(one.request)}
                  </pre>
                )}
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  )
}

function Fact({
  name,
  screenOnly = false,
  children,
}: {
  name: string
  screenOnly?: boolean | undefined
  children: ReactNode
}) {
  return (
    <div
      className={`flex break-inside-avoid justify-between gap-4 py-0.5 ${screenOnly ? 'print:hidden' : ''}`}
    >
      <dt className="shrink-0 text-muted">{name}</dt>
      <dd className="num min-w-0 text-right [overflow-wrap:anywhere]">{children}</dd>
    </div>
  )
}

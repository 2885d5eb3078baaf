import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { CircleCheck, RefreshCw, TriangleAlert } from 'lucide-react'
import {
  Fragment,
  useCallback,
  useEffect,
  useId,
  useState,
  type ReactNode,
  type SyntheticEvent,
} from 'react'
import { ApiError } from '../../api/client'
import type {
  DeadLetter,
  DeadLetters,
  FaultsCleared,
  OpsFaults,
  OpsHost,
  OpsIntegrations,
  OpsOverview,
  Requeued,
} from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { ErrorNotice } from '../../components/Notice'
import { Skeleton } from '../../components/Skeleton'
import { NextPage } from '../../components/ui'
import { clock } from '../../lib/dates'
import { timeZoneHere } from '../../lib/region'
import { messages } from '../../messages'
import { ops } from '../../messages-ops'
import {
  agoWords,
  call,
  outcomeWords,
  problemsOf,
  savedKey,
  saveKey,
  type Outcome,
  type Problem,
} from './queries'

type State = keyof typeof ops.states
type RunStatus = keyof typeof ops.runStatuses
const states = Object.keys(ops.states) as State[]
const runStatuses = Object.keys(ops.runStatuses) as RunStatus[]
/** Red is what an operator may have to see to; what brings no new days is for its owner to look at, and amber here as on the owner's pages. */
const toneOf = (state: State) =>
  state === 'failing' || state === 'overdue' || state === 'reconnect_needed'
    ? 'font-semibold text-trouble'
    : state === 'silent'
      ? 'font-semibold text-attention'
      : ''
const whole = (count: number) => count.toLocaleString('en-GB')
/** Of one request; what the API takes. */
const mostAtOnce = 200
const quietSmall =
  'tap inline-flex items-center gap-2 rounded border border-line bg-surface px-3 text-small font-semibold hover:border-line-strong disabled:opacity-60'
const rejected = (error: unknown) =>
  error instanceof ApiError && (error.status === 401 || error.status === 403)

/** How the installation is, for whoever operates it; opened by a function key that stays in this tab. */
export default function Ops() {
  const [key, setKey] = useState(savedKey)
  // A key that was good and is not any more: it was renewed while the tab stood open.
  const [refused, setRefused] = useState(false)
  const client = useQueryClient()
  useEffect(() => {
    document.title = `${ops.title} · ${messages.productShort}`
  }, [])
  const adopt = useCallback(
    (next: string | null, wasRefused = false) => {
      saveKey(next)
      client.removeQueries({ queryKey: ['ops'] })
      setRefused(wasRefused)
      setKey(next)
    },
    [client],
  )
  const forget = useCallback(() => {
    adopt(null)
  }, [adopt])
  const lose = useCallback(() => {
    adopt(null, true)
  }, [adopt])
  return (
    <main className="mx-auto max-w-[78rem] px-4 pt-4 pb-24 sm:px-8 lg:pt-8">
      {key === null ? (
        <KeyForm onKey={adopt} refused={refused} />
      ) : (
        <Health secret={key} onForget={forget} onRefused={lose} />
      )}
    </main>
  )
}

function KeyForm({ onKey, refused }: { onKey: (key: string) => void; refused: boolean }) {
  const id = useId()
  const [problem, setProblem] = useState<string | null>(refused ? ops.keyExpired : null)
  const [busy, setBusy] = useState(false)
  const submit = async (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault()
    const key = new FormData(event.currentTarget).get('key')
    const text = typeof key === 'string' ? key.trim() : ''
    if (text === '') {
      setProblem(ops.keyMissing)
      return
    }
    setBusy(true)
    try {
      await call<OpsOverview>(text, 'overview')
      onKey(text)
    } catch (error) {
      setProblem(
        rejected(error)
          ? ops.keyWrong
          : error instanceof ApiError
            ? error.message
            : messages.errors.crash,
      )
      setBusy(false)
    }
  }
  return (
    <form noValidate className="mx-auto mt-12 max-w-md" onSubmit={(event) => void submit(event)}>
      <h1 className="text-big font-semibold tracking-[-0.01em]">{ops.keyTitle}</h1>
      <p className="mt-1 text-muted">{ops.keyLead}</p>
      <label htmlFor={id} className="mt-6 mb-1 block text-small text-muted">
        {ops.key}
      </label>
      <input
        id={id}
        name="key"
        type="password"
        autoComplete="off"
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem ${id}-hint` : `${id}-hint`}
        className={`h-11 w-full rounded border bg-surface px-3 text-body hover:border-ink ${problem ? 'border-trouble' : 'border-line-strong'}`}
      />
      <p id={`${id}-hint`} className="mt-1 text-small text-muted">
        {ops.keyHint}
      </p>
      {problem && (
        <p id={`${id}-problem`} role="alert" className="mt-1 text-small text-trouble">
          {problem}
        </p>
      )}
      <button type="submit" disabled={busy} className={`${primaryButton} mt-5 w-full`}>
        {ops.enter}
      </button>
    </form>
  )
}

function Health({
  secret,
  onForget,
  onRefused,
}: {
  secret: string
  onForget: () => void
  onRefused: () => void
}) {
  const overview = useQuery({
    queryKey: ['ops', 'overview'],
    queryFn: ({ signal }) => call<OpsOverview>(secret, 'overview', { signal }),
    refetchInterval: 15_000,
  })
  const host = useQuery({
    queryKey: ['ops', 'host'],
    queryFn: ({ signal }) => call<OpsHost>(secret, 'host', { signal }),
    refetchInterval: 60_000,
  })
  const client = useQueryClient()
  const shut = rejected(overview.error)
  useEffect(() => {
    if (shut) onRefused()
  }, [shut, onRefused])
  const data = overview.data
  const time = data && new Date(data.at).toLocaleTimeString()
  return (
    <>
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 max-w-prose">
          <h1 className="text-big font-semibold tracking-[-0.01em]">{ops.title}</h1>
          <p className="mt-1 text-muted">{ops.lead}</p>
        </div>
        <div className="flex flex-wrap gap-2">
          <button
            type="button"
            className={quietSmall}
            disabled={overview.isFetching}
            onClick={() => void client.invalidateQueries({ queryKey: ['ops'] })}
          >
            <RefreshCw aria-hidden="true" size={16} />
            {ops.refresh}
          </button>
          <button type="button" className={quietSmall} onClick={onForget}>
            {ops.forget}
          </button>
        </div>
      </div>
      {data && time ? (
        <>
          <p
            role={overview.isError ? 'alert' : undefined}
            className={`mt-2 text-small ${overview.isError ? 'text-attention' : 'text-muted'}`}
          >
            {overview.isError ? ops.stale(time) : ops.asOf(time)}
          </p>
          <Verdict problems={problemsOf(data, host.data)} />
          <Facts overview={data} />
          <div className="lg:grid lg:grid-cols-2 lg:gap-x-12">
            <Part
              title={ops.sources}
              lead={data.integrations.length > 0 ? ops.sourcesLead : undefined}
            >
              <Sources secret={secret} overview={data} />
            </Part>
            <Part title={ops.runs}>
              <Runs overview={data} />
            </Part>
          </div>
          {data.faults.tenants > 0 && (
            <Part title={ops.faults} lead={ops.faultsLead}>
              <Faults
                secret={secret}
                now={Date.parse(data.at)}
                newest={data.faults.newestAt ?? ''}
              />
            </Part>
          )}
          <Part title={ops.dead} lead={ops.deadLead}>
            <Dead
              secret={secret}
              now={Date.parse(data.at)}
              count={data.deadLetters.runs + data.deadLetters.messages}
            />
          </Part>
          <div className="lg:grid lg:grid-cols-2 lg:gap-x-12">
            {data.circuits.length > 0 && (
              <Part title={ops.circuits}>
                <Grid
                  head={[ops.provider, ops.failures, ops.retry]}
                  rows={data.circuits.map((one) => [
                    one.provider,
                    one.failures,
                    one.retryAt ? new Date(one.retryAt).toLocaleTimeString() : '–',
                  ])}
                />
              </Part>
            )}
            <Part title={ops.queues}>
              {data.queues === null ? (
                <p className="text-attention">{data.queuesProblem ?? ops.problems.queues}</p>
              ) : (
                <Queues queues={data.queues} now={Date.parse(data.at)} />
              )}
            </Part>
          </div>
        </>
      ) : overview.isError && !shut ? (
        <ErrorNotice error={overview.error} retry={() => void overview.refetch()} />
      ) : (
        <Waiting />
      )}
      {data && (
        <Part title={ops.host}>
          {host.data ? (
            <Host host={host.data} />
          ) : host.isError ? (
            <ErrorNotice error={host.error} retry={() => void host.refetch()} />
          ) : (
            <Skeleton className="h-24" />
          )}
        </Part>
      )}
    </>
  )
}

function Waiting() {
  return (
    <div role="status" aria-label={messages.loading} className="mt-6 space-y-6">
      <Skeleton className="h-11" />
      <Skeleton className="h-24" />
      <Skeleton className="h-40" />
      <Skeleton className="h-40" />
    </div>
  )
}

function Verdict({ problems }: { problems: Problem[] }) {
  const well = problems.length === 0
  const Icon = well ? CircleCheck : TriangleAlert
  return (
    <section
      aria-live="polite"
      className="mt-4 flex gap-3 rounded border border-line bg-surface p-4 shadow-(--shadow)"
    >
      <Icon
        aria-hidden="true"
        size={20}
        className={`mt-0.5 shrink-0 ${well ? 'text-good' : 'text-attention'}`}
      />
      <div className="min-w-0">
        <h2 className="font-semibold">{well ? ops.well : ops.look(problems.length)}</h2>
        {!well && (
          <ul className="mt-1 list-disc space-y-0.5 pl-5 text-muted">
            {problems.map((problem) => (
              <li key={problem.text} className="break-words">
                {problem.text} <span className="text-small">{ops.runbook(problem.runbook)}</span>
              </li>
            ))}
          </ul>
        )}
      </div>
    </section>
  )
}

function Facts({ overview }: { overview: OpsOverview }) {
  const { tenants, runs, live, mails, lastBackup } = overview
  const now = Date.parse(overview.at)
  const sum = (wanted: (status: string) => boolean) =>
    runs.filter((run) => wanted(run.status)).reduce((total, run) => total + run.count, 0)
  const facts: [string, ReactNode, string][] = [
    [
      ops.facts.tenants,
      whole(tenants.total),
      ops.facts.tenantsNote(tenants.demo, tenants.deleting),
    ],
    [
      ops.facts.runs,
      whole(sum(() => true)),
      ops.facts.runsNote(sum((status) => status === 'failed' || status === 'dead')),
    ],
    [
      ops.facts.live,
      whole(live.queued + live.running + live.waiting),
      ops.facts.liveNote(live.waiting),
    ],
    [
      ops.facts.mails,
      whole(mails.waiting),
      ops.facts.mailsNote(mails.oldestAt ? agoWords(mails.oldestAt, now) : null),
    ],
    [
      ops.facts.backup,
      lastBackup ? agoWords(lastBackup.takenAt, now) : ops.facts.none,
      lastBackup
        ? `${lastBackup.verifiedAt ? ops.facts.verified : ops.facts.notVerified}, ${lastBackup.schemaVersion}`
        : '',
    ],
  ]
  return (
    <dl className="mt-6 grid grid-cols-2 gap-x-6 gap-y-4 sm:grid-cols-3 lg:grid-cols-5">
      {facts.map(([name, value, note]) => (
        <div key={name} className="min-w-0">
          <dt className="text-small text-muted">{name}</dt>
          <dd className="num text-lead font-semibold">{value}</dd>
          {note && <dd className="text-small break-words text-muted">{note}</dd>}
        </div>
      ))}
    </dl>
  )
}

function Part({
  title,
  lead,
  children,
}: {
  title: string
  lead?: string | undefined
  children: ReactNode
}) {
  const id = useId()
  return (
    <section aria-labelledby={id} className="mt-8 border-t border-line pt-6">
      <h2 id={id} className="text-lead font-semibold">
        {title}
      </h2>
      {lead && <p className="mt-0.5 text-small text-muted">{lead}</p>}
      <div className="mt-4">{children}</div>
    </section>
  )
}

/** A table whose first column names the row; it scrolls by itself where it is too wide. */
function Grid({ head, rows }: { head: string[]; rows: ReactNode[][] }) {
  return (
    // The room at its end is for buttons in its last column, which reach beyond the number that they show.
    // A region that scrolls must be reachable with the keyboard.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className="-mr-2 overflow-x-auto pr-2" tabIndex={0} role="group" aria-label={head[0]}>
      <table className="w-full max-w-3xl">
        <thead className="text-left text-small text-muted">
          <tr>
            {head.map((name, index) => (
              <th
                key={name}
                scope="col"
                className={`pb-2 font-normal ${index > 0 ? 'pl-4 text-right' : ''}`}
              >
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, ...cells], row) => (
            <tr key={row} className="border-t border-line">
              <th scope="row" className="py-2 text-left font-normal wrap-break-word">
                {name}
              </th>
              {cells.map((cell, index) => (
                <td key={index} className="num py-2 pl-4 text-right whitespace-nowrap">
                  {cell}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Sources({ secret, overview }: { secret: string; overview: OpsOverview }) {
  const [open, setOpen] = useState<{ connector: string; state: State } | null>(null)
  const connectors = [...new Set(overview.integrations.map((one) => one.connector))]
  if (connectors.length === 0) return <p className="text-muted">{ops.noSources}</p>
  const shown = states.filter(
    (state) => state === 'active' || overview.integrations.some((one) => one.state === state),
  )
  return (
    <>
      <Grid
        head={[ops.connector, ...shown.map((state) => ops.states[state])]}
        rows={connectors.map((connector) => [
          connector,
          ...shown.map((state) => {
            const count =
              overview.integrations.find(
                (one) => one.connector === connector && one.state === state,
              )?.count ?? 0
            if (count === 0) return 0
            const chosen = open?.connector === connector && open.state === state
            return (
              <button
                key={state}
                type="button"
                aria-expanded={chosen}
                aria-label={ops.sourcesShow(count, connector, ops.states[state])}
                className={`tap -mr-2 min-w-11 rounded px-2 text-right underline decoration-line-strong underline-offset-4 hover:decoration-current ${toneOf(state)}`}
                onClick={() => {
                  setOpen(chosen ? null : { connector, state })
                }}
              >
                {whole(count)}
              </button>
            )
          }),
        ])}
      />
      {open && (
        <SourceList
          key={`${open.connector} ${open.state}`}
          secret={secret}
          connector={open.connector}
          state={open.state}
          now={Date.parse(overview.at)}
          onClose={() => {
            setOpen(null)
          }}
        />
      )}
    </>
  )
}

/** Whose sources are in a state: by id, and as telemetry names the business. */
function SourceList({
  secret,
  connector,
  state,
  now,
  onClose,
}: {
  secret: string
  connector: string
  state: State
  now: number
  onClose: () => void
}) {
  const id = useId()
  const list = useInfiniteQuery({
    queryKey: ['ops', 'sources', connector, state],
    queryFn: ({ pageParam, signal }) =>
      call<OpsIntegrations>(
        secret,
        `integrations?connector=${encodeURIComponent(connector)}&state=${state}&limit=20${pageParam ? `&cursor=${pageParam}` : ''}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  })
  const rows = list.data?.pages.flatMap((page) => page.integrations) ?? []
  return (
    <section
      aria-labelledby={id}
      className="mt-4 max-w-3xl rounded border border-line bg-surface p-4 shadow-(--shadow)"
    >
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <h3 id={id} className="font-semibold">
          {ops.listTitle(connector, ops.states[state])}
        </h3>
        <button type="button" className={quietSmall} onClick={onClose}>
          {ops.listClose}
        </button>
      </div>
      {list.isError ? (
        <ErrorNotice error={list.error} retry={() => void list.refetch()} />
      ) : list.isPending ? (
        <Skeleton className="h-16" />
      ) : rows.length === 0 ? (
        <p className="text-muted">{ops.listEmpty}</p>
      ) : (
        <ul>
          {rows.map((row) => (
            <li
              key={row.integrationId}
              className="grid gap-x-6 gap-y-1 border-t border-line py-3 first:border-t-0 sm:grid-cols-[minmax(0,1fr)_auto]"
            >
              <div className="min-w-0">
                <p className="wrap-anywhere">{ops.tenantId(row.tenantId)}</p>
                <p className="text-small wrap-anywhere text-muted">
                  {[row.tenantHash, row.traceparent && ops.trace(row.traceparent)]
                    .filter(Boolean)
                    .join(' · ')}
                </p>
              </div>
              <p className="text-small text-muted sm:text-right">
                {ops.lastRead}: {row.fetchedAt ? agoWords(row.fetchedAt, now) : ops.never}
                <br />
                {ops.lastRun}:{' '}
                {row.lastRunStatus && row.lastRunAt
                  ? `${ops.runStatuses[row.lastRunStatus as RunStatus].toLowerCase()}, ${agoWords(row.lastRunAt, now)}`
                  : ops.never}
                {row.failures > 0 && (
                  <>
                    <br />
                    {ops.inARow}: <span className="num text-trouble">{row.failures}</span>
                  </>
                )}
              </p>
            </li>
          ))}
        </ul>
      )}
      <NextPage list={list} more={ops.more} />
    </section>
  )
}

function Runs({ overview }: { overview: OpsOverview }) {
  const connectors = [...new Set(overview.runs.map((one) => one.connector))]
  if (connectors.length === 0) return <p className="text-muted">{ops.noRuns}</p>
  const shown = runStatuses.filter(
    (status) => status === 'succeeded' || overview.runs.some((one) => one.status === status),
  )
  return (
    <Grid
      head={[ops.connector, ...shown.map((status) => ops.runStatuses[status])]}
      rows={connectors.map((connector) => [
        connector,
        ...shown.map((status) => {
          const count =
            overview.runs.find((one) => one.connector === connector && one.status === status)
              ?.count ?? 0
          const bad = (status === 'failed' || status === 'dead') && count > 0
          return (
            <span key={status} className={bad ? 'font-semibold text-trouble' : ''}>
              {whole(count)}
            </span>
          )
        }),
      ])}
    />
  )
}

/** Queues that hold something; a column of zeros would hide them. */
function Queues({ queues, now }: { queues: NonNullable<OpsOverview['queues']>; now: number }) {
  const full = queues.filter((one) => one.messages > 0)
  if (queues.length === 0) return <p className="text-muted">{ops.noQueues}</p>
  if (full.length === 0) return <p className="text-muted">{ops.queuesEmpty(queues.length)}</p>
  return (
    <>
      <Grid
        head={[ops.queue, ops.waiting, ops.oldest]}
        rows={full.map((one) => [
          one.name,
          <span
            key="messages"
            className={one.name.endsWith('-poison') ? 'font-semibold text-trouble' : ''}
          >
            {whole(one.messages)}
          </span>,
          one.oldestAt ? agoWords(one.oldestAt, now) : '–',
        ])}
      />
      {full.length < queues.length && (
        <p className="mt-2 text-small text-muted">{ops.queuesRest(queues.length - full.length)}</p>
      )}
    </>
  )
}

/** What is wrong with single businesses, and a button that says it was seen. */
function Faults({ secret, now, newest }: { secret: string; now: number; newest: string }) {
  const client = useQueryClient()
  const [busy, setBusy] = useState<string | null>(null)
  const [said, setSaid] = useState<{ text: string; failed: boolean } | null>(null)
  const list = useQuery({
    // When the newest is another, the list has changed.
    queryKey: ['ops', 'faults', newest],
    queryFn: ({ signal }) => call<OpsFaults>(secret, 'faults?limit=200', { signal }),
  })
  const clear = async (key: string, tenantId: string, step: string) => {
    setBusy(key)
    setSaid(null)
    try {
      const answer = await call<FaultsCleared>(secret, 'faults/clear', { body: { tenantId, step } })
      setSaid({ text: `${ops.cleared(answer.cleared)} ${ops.clearedNote}`, failed: false })
      await client.invalidateQueries({ queryKey: ['ops'] })
    } catch (error) {
      setSaid({
        text: error instanceof ApiError ? error.message : messages.errors.crash,
        failed: true,
      })
    }
    setBusy(null)
  }
  return (
    <>
      <p
        role="status"
        className={`text-small ${said ? 'mb-3' : ''} ${said?.failed ? 'text-trouble' : 'text-good'}`}
      >
        {said?.text}
      </p>
      {list.isError ? (
        <ErrorNotice error={list.error} retry={() => void list.refetch()} />
      ) : list.isPending ? (
        <Skeleton className="h-16" />
      ) : (
        <ul>
          {list.data.faults.map((fault) => {
            const key = `${fault.tenantId} ${fault.step} ${fault.subject ?? ''}`
            return (
              <li
                key={key}
                className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2 border-t border-line py-3"
              >
                <div className="min-w-0 flex-1 basis-60">
                  <p className="font-semibold">
                    {ops.faultSteps[fault.step] ?? fault.step}{' '}
                    <span className="font-normal text-muted">
                      {ops.faultTimes(fault.times, agoWords(fault.lastAt, now))}
                    </span>
                  </p>
                  <p className="text-small wrap-anywhere">{fault.reason}</p>
                  <p className="text-small wrap-anywhere text-muted">
                    {[
                      ops.tenantId(fault.tenantId),
                      fault.subject && ops.faultSubject(fault.subject),
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </p>
                </div>
                <button
                  type="button"
                  className={quietSmall}
                  disabled={busy !== null}
                  onClick={() => void clear(key, fault.tenantId, fault.step)}
                >
                  {busy === key ? ops.clearing : ops.clear}
                </button>
              </li>
            )
          })}
        </ul>
      )}
    </>
  )
}

function Dead({ secret, now, count }: { secret: string; now: number; count: number }) {
  const client = useQueryClient()
  const [busy, setBusy] = useState<string | null>(null)
  const [asking, setAsking] = useState(false)
  const [said, setSaid] = useState<{ text: string; failed: boolean } | null>(null)
  const list = useInfiniteQuery({
    // The count is part of the question: when it changes, the list has changed.
    queryKey: ['ops', 'dead', count],
    queryFn: ({ pageParam, signal }) =>
      call<DeadLetters>(
        secret,
        `dead-letters?limit=20${pageParam ? `&cursor=${encodeURIComponent(pageParam)}` : ''}`,
        { signal },
      ),
    initialPageParam: '',
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  })
  const again = async (what: string, chosen: DeadLetter[]) => {
    setBusy(what)
    setAsking(false)
    setSaid(null)
    try {
      const answer = await call<Requeued>(secret, 'requeue', {
        body: {
          runIds: chosen.filter((one) => one.kind === 'run').map((one) => one.id),
          deadLetterIds: chosen
            .filter((one) => one.kind === 'message')
            .map((one) => Number(one.id)),
        },
      })
      const outcomes: Outcome[] = answer.outcomes.map((one) => one.outcome)
      setSaid({ text: outcomeWords(outcomes), failed: outcomes.includes('inactive') })
      await client.invalidateQueries({ queryKey: ['ops'] })
    } catch (error) {
      setSaid({
        text: error instanceof ApiError ? error.message : messages.errors.crash,
        failed: true,
      })
    }
    setBusy(null)
  }
  const entries = list.data?.pages.flatMap((page) => page.deadLetters) ?? []
  const all = entries.slice(0, mostAtOnce)
  return (
    <>
      <p
        role="status"
        className={`text-small ${said ? 'mb-3' : ''} ${said?.failed ? 'text-trouble' : 'text-good'}`}
      >
        {said?.text}
      </p>
      {list.isError ? (
        <ErrorNotice error={list.error} retry={() => void list.refetch()} />
      ) : list.isPending ? (
        <Skeleton className="h-16" />
      ) : entries.length === 0 ? (
        <p className="text-muted">{ops.noDead}</p>
      ) : (
        <>
          {all.length > 1 &&
            (asking ? (
              <div className="mb-3 flex flex-wrap items-center gap-x-4 gap-y-2">
                <p className="max-w-prose text-small text-muted">{ops.againAsk}</p>
                <div className="flex flex-wrap gap-2">
                  <button
                    type="button"
                    className={quietSmall}
                    onClick={() => void again('all', all)}
                  >
                    {ops.againSure(all.length)}
                  </button>
                  <button
                    type="button"
                    className={quietSmall}
                    onClick={() => {
                      setAsking(false)
                    }}
                  >
                    {ops.cancel}
                  </button>
                </div>
              </div>
            ) : (
              <button
                type="button"
                className={`${quietSmall} mb-3`}
                disabled={busy !== null}
                onClick={() => {
                  setAsking(true)
                }}
              >
                {busy === 'all' ? ops.trying : ops.againAll(all.length)}
              </button>
            ))}
          <ul>
            {entries.map((entry) => (
              <li
                key={`${entry.kind} ${entry.id}`}
                className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2 border-t border-line py-3"
              >
                <div className="min-w-0 flex-1 basis-60">
                  <p className="font-semibold">
                    {entry.kind === 'run'
                      ? ops.run(entry.connector ?? '')
                      : ops.message(entry.queue)}{' '}
                    <span className="font-normal text-muted">{agoWords(entry.at, now)}</span>
                  </p>
                  {entry.reason && <p className="text-small break-words">{entry.reason}</p>}
                  {entry.body && (
                    <p className="mt-1 font-mono text-small wrap-anywhere text-muted">
                      {entry.body.slice(0, 200)}
                    </p>
                  )}
                  <p className="text-small wrap-anywhere text-muted">
                    {[
                      entry.tenantId && ops.tenantId(entry.tenantId),
                      entry.traceparent && ops.trace(entry.traceparent),
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </p>
                </div>
                <button
                  type="button"
                  className={quietSmall}
                  disabled={busy !== null}
                  onClick={() => void again(entry.id, [entry])}
                >
                  {busy === entry.id ? ops.trying : ops.again}
                </button>
              </li>
            ))}
          </ul>
        </>
      )}
      <NextPage list={list} more={ops.more} />
    </>
  )
}

function Host({ host }: { host: OpsHost }) {
  const facts: [string, string][] = [
    [ops.version, host.version],
    [ops.commit, host.commit?.slice(0, 12) ?? '–'],
    [ops.runtime, `${host.runtime}, ${host.platform}`],
    [ops.started, clock(host.startedAt, timeZoneHere(), new Date())],
    [ops.instance, host.instance],
    [ops.schema, host.migrations.at(-1)?.name ?? '–'],
  ]
  return (
    <>
      <dl className="grid gap-x-6 gap-y-3 sm:grid-cols-2 lg:grid-cols-3">
        {facts.map(([name, value]) => (
          <div key={name} className="min-w-0">
            <dt className="text-small text-muted">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      </dl>
      <h3 className="mt-6 font-semibold">{ops.settings}</h3>
      <ul className="mt-2 max-w-3xl">
        {host.settings.map((setting) => (
          <li
            key={setting.name}
            className="grid grid-cols-[minmax(0,1fr)_auto] gap-x-4 border-t border-line py-2 first:border-t-0"
          >
            <span className="min-w-0">
              <span className="block wrap-anywhere">
                {setting.name.split(/(?<=[_:.])(?![_:.])/).map((part, i) => (
                  <Fragment key={i}>
                    {part}
                    <wbr />
                  </Fragment>
                ))}
              </span>{' '}
              <span className="block text-small text-muted">{setting.for}</span>
            </span>
            <span
              className={`text-right ${
                setting.isSet
                  ? 'text-good'
                  : setting.required
                    ? 'font-semibold text-trouble'
                    : 'text-muted'
              }`}
            >
              {setting.isSet ? ops.isSet : setting.required ? ops.missing : ops.notSet}
            </span>
          </li>
        ))}
      </ul>
    </>
  )
}

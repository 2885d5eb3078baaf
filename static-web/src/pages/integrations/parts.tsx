import { useState, type ReactNode } from 'react'
import { api } from '../../api/client'
import type { ConnectionTest, Integration, SyncRun, SyncStarted } from '../../api/types'
import { sentenceOf, State } from '../../components/ui'
import { useIdentity } from '../../lib/session'
import { words } from '../../messages-integrations'
import { useChanged, useMayChange, useRun } from './queries'
import { clocksOf, isLive, isPushOnly, progressOf, stateOf, type Tone } from './words'

const text = words.action
export const act =
  'tap inline-flex items-center gap-2 rounded border border-line bg-surface px-3 text-small font-semibold hover:border-line-strong disabled:opacity-60'
const actFirst =
  'tap inline-flex items-center gap-2 rounded bg-accent px-3 text-small font-semibold text-on-accent hover:bg-accent-strong disabled:opacity-60'

/** In what state a source is, in a word or two. */
export function StateLabel({ source }: { source: Integration }) {
  const { tenant } = useIdentity()
  const { tone, label } = stateOf(source, tenant.timeZone, new Date())
  return (
    <span className={`text-small ${tone === 'trouble' ? 'text-trouble' : ''}`}>
      <State tone={tone}>{label}</State>
    </span>
  )
}

/** In what state a source is, in its owner's words; nothing where all is well. */
export function StateWords({ source }: { source: Integration }) {
  const { tenant } = useIdentity()
  const { sentences } = stateOf(source, tenant.timeZone, new Date())
  if (sentences.length === 0) return null
  return <p className="mt-1 max-w-prose text-small">{sentences.join(' ')}</p>
}

/** The three clocks of a source. */
export function Clocks({ source }: { source: Integration }) {
  const { tenant } = useIdentity()
  return (
    <dl className="num grid gap-x-8 text-small sm:grid-cols-3">
      {clocksOf(source, tenant.timeZone, new Date()).map(({ name, at }) => (
        <div key={name} className="flex justify-between gap-4 py-0.5 sm:block sm:py-0">
          <dt className="text-muted">{name}</dt>
          <dd className="whitespace-nowrap">{at}</dd>
        </div>
      ))}
    </dl>
  )
}

/** How far a run is: a line, and a bar where it has parts. */
export function Progress({ run }: { run: SyncRun }) {
  const { tenant } = useIdentity()
  const live = isLive(run)
  const parts = run.slicesTotal > 1 && live
  return (
    <div className="max-w-prose text-small">
      <p
        role="status"
        className={run.status === 'failed' || run.status === 'dead' ? 'text-trouble' : 'text-muted'}
      >
        {progressOf(run, tenant.timeZone, new Date())}
        {parts && ` · ${words.progress.steps(run.slicesDone, run.slicesTotal)}`}
      </p>
      {parts && (
        <span
          className="mt-1.5 block h-1 overflow-hidden rounded-full bg-sunken"
          aria-hidden="true"
        >
          <span
            className="block h-full rounded-full bg-accent"
            style={{ width: `${(100 * run.slicesDone) / run.slicesTotal}%` }}
          />
        </span>
      )}
    </div>
  )
}

/** What can be done with a source at once: read, test, pause, resume, reconnect. What came of it stands below. */
export function Actions({
  source,
  run: known = null,
  onReconnect,
  children,
}: {
  source: Integration
  /** A run of it that is under way. */
  run?: string | null
  onReconnect: () => void
  children?: ReactNode
}) {
  const manage = useMayChange('manage_integrations')
  const refresh = useMayChange('refresh')
  const changed = useChanged()
  const [busy, setBusy] = useState<'refresh' | 'test' | 'pause' | null>(null)
  const [said, setSaid] = useState<{ tone: Tone; text: string } | null>(null)
  const [started, setStarted] = useState<string | null>(null)
  const follow = started ?? known
  const run = useRun(follow).data
  const live = run ? isLive(run) : follow !== null
  const paused = source.status === 'paused'
  const push = isPushOnly(source)
  const lost = source.status === 'reconnect_needed'
  // What went wrong stands above already, as the state of the source.
  const saidAbove = Boolean(run?.message && source.message?.includes(run.message))

  const work = async (what: NonNullable<typeof busy>, todo: () => Promise<void>) => {
    if (busy) return
    setBusy(what)
    setSaid(null)
    try {
      await todo()
    } catch (error) {
      setSaid({ tone: 'trouble', text: sentenceOf(error) })
    } finally {
      setBusy(null)
    }
  }
  const read = () =>
    work('refresh', async () => {
      setStarted((await api.post<SyncStarted>(`integrations/${source.id}/sync`)).id)
      await changed()
    })
  const test = () =>
    work('test', async () => {
      const { works, message } = await api.post<ConnectionTest>(`integrations/${source.id}/test`)
      setSaid({
        tone: works ? 'good' : 'trouble',
        text: `${works ? text.works : text.worksNot} ${message}`,
      })
      // What was mended at the other end is read again.
      if (works && lost) await changed()
    })
  const toggle = () =>
    work('pause', async () => {
      await api.post(`integrations/${source.id}/${paused ? 'resume' : 'pause'}`)
      setStarted(null)
      await changed()
      setSaid({
        tone: 'plain',
        text: paused ? text.resumed(source.displayName) : text.paused(source.displayName),
      })
    })

  const label = (what: string) => text.of(what, source.displayName)
  return (
    <>
      <div className="mt-3 flex flex-wrap gap-2">
        {lost && manage && (
          <button type="button" className={actFirst} onClick={onReconnect}>
            {text.reconnect}
          </button>
        )}
        {paused && manage && (
          <button
            type="button"
            aria-label={label(text.resume)}
            className={act}
            disabled={busy !== null}
            onClick={() => void toggle()}
          >
            {text.resume}
          </button>
        )}
        {refresh && !paused && !lost && !push && (
          <button
            type="button"
            aria-label={label(live ? text.refreshing : text.refresh)}
            className={act}
            disabled={busy !== null || live}
            onClick={() => void read()}
          >
            {live || busy === 'refresh' ? text.refreshing : text.refresh}
          </button>
        )}
        {manage && !push && (
          <button
            type="button"
            aria-label={label(text.test)}
            className={act}
            disabled={busy !== null}
            onClick={() => void test()}
          >
            {busy === 'test' ? text.testing : text.test}
          </button>
        )}
        {manage && !paused && !lost && (
          <button
            type="button"
            aria-label={label(text.pause)}
            className={act}
            disabled={busy !== null}
            onClick={() => void toggle()}
          >
            {text.pause}
          </button>
        )}
        {children}
      </div>
      {run && (live || started) && !paused && !saidAbove && (
        <div className="mt-3">
          <Progress run={run} />
        </div>
      )}
      {said && (
        <p
          role={said.tone === 'trouble' ? 'alert' : 'status'}
          className={`mt-3 max-w-prose text-small ${said.tone === 'trouble' ? 'text-trouble' : said.tone === 'good' ? 'text-good' : 'text-muted'}`}
        >
          {said.text}
        </p>
      )}
    </>
  )
}

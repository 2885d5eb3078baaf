import { useState } from 'react'
import { Link } from 'react-router'
import { api } from '../../api/client'
import type { Integration, SyncRun, SyncStarted } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { Failed } from '../../components/ui'
import { addDays, dayIn, daysBetween } from '../../lib/dates'
import { fullDay } from '../../lib/dayNames'
import { useIdentity } from '../../lib/session'
import { empty as text } from '../../messages-welcome'
import { Progress } from '../integrations/parts'
import { useChanged, useMayChange, useRun, useRuns } from '../integrations/queries'
import { isLive, stateOf } from '../integrations/words'

/** How the first reading of each source goes: what it does, how many days are there, and the one button where it is stuck. */
export function FirstReadings({ sources }: { sources: readonly Integration[] }) {
  const runs = useRuns({}, 50)
  const newest = (id: string) =>
    runs.data?.pages.flatMap((page) => page.runs).find((run) => run.integrationId === id)
  return (
    <ul aria-label={text.sources} className="max-w-prose border-t border-line">
      {sources.map((source) => (
        <li key={source.id} className="border-b border-line py-4">
          <p className="font-semibold">{source.displayName}</p>
          <FirstReading source={source} newest={newest(source.id)} />
        </li>
      ))}
    </ul>
  )
}

/** The first reading of one source. */
export function FirstReading({
  source,
  newest,
}: {
  source: Integration
  /** Its newest run, as far as it is known. */
  newest: SyncRun | undefined
}) {
  const { tenant } = useIdentity()
  const [started, setStarted] = useState<string | null>(null)
  const followed = started ?? (newest && isLive(newest) ? newest.id : null)
  const run = useRun(followed).data ?? newest
  const live = run !== undefined && isLive(run)
  const stuck =
    !live &&
    (source.status === 'failing' ||
      source.status === 'reconnect_needed' ||
      run?.status === 'dead' ||
      run?.status === 'failed')
  const read = source.readFrom
    ? daysBetween(source.readFrom, addDays(dayIn(tenant.timeZone, new Date()), 1))
    : 0
  return (
    <div className="mt-1 space-y-1 text-small">
      {stuck ? (
        <Stuck source={source} onStarted={setStarted} />
      ) : run && (live || !source.readFrom) ? (
        <Progress run={run} />
      ) : (
        !source.readFrom && <p className="text-muted">{text.waiting}</p>
      )}
      {source.readFrom && read > 0 && (
        <p className="num text-muted">
          {(live ? text.soFar : text.read)(read, fullDay(source.readFrom))}
        </p>
      )}
    </div>
  )
}

/** What is the matter, and what helps. */
function Stuck({ source, onStarted }: { source: Integration; onStarted: (run: string) => void }) {
  const { tenant } = useIdentity()
  const manage = useMayChange('manage_integrations')
  const refresh = useMayChange('refresh')
  const changed = useChanged()
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const lost = source.status === 'reconnect_needed'
  const again = async () => {
    if (busy) return
    setBusy(true)
    setFailed(null)
    try {
      onStarted((await api.post<SyncStarted>(`integrations/${source.id}/sync`)).id)
      await changed()
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <p role="alert">{stateOf(source, tenant.timeZone, new Date()).sentences.join(' ')}</p>
      {lost && manage ? (
        <Link to={`/integrations/${source.id}`} className={`${primaryButton} mt-2`}>
          {text.reconnect}
        </Link>
      ) : (
        !lost &&
        refresh && (
          <button
            type="button"
            disabled={busy}
            className={`${primaryButton} mt-2`}
            onClick={() => void again()}
          >
            {busy ? text.trying : text.again}
          </button>
        )
      )}
      {!manage && <p className="text-muted">{text.failed.viewer}</p>}
      <Failed error={failed} />
    </>
  )
}

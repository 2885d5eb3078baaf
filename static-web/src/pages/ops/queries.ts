import { ApiError, base, toError } from '../../api/client'
import type { OpsHost, OpsOverview, Requeued } from '../../api/types'
import { messages } from '../../messages'
import { ops } from '../../messages-ops'

const store = 'kpi.ops-key'

export type Outcome = Requeued['outcomes'][number]['outcome']

/** The key of this tab, or null. Never in localStorage: it opens every business's operations. */
export const savedKey = () => sessionStorage.getItem(store)
export const saveKey = (key: string | null) => {
  if (key === null) sessionStorage.removeItem(store)
  else sessionStorage.setItem(store, key)
}

/** Calls a route of operators with the function key. */
export async function call<T>(
  key: string,
  path: string,
  options: { body?: unknown; signal?: AbortSignal } = {},
): Promise<T> {
  // Keys are plain ASCII. Other characters never leave the browser, or leave it as bytes that a server refuses before anybody looks at the key.
  if (!/^[\x21-\x7e]+$/.test(key)) throw new ApiError(ops.keyWrong, 401)
  let response: Response
  try {
    response = await fetch(`${base}/api/ops/${path}`, {
      method: options.body === undefined ? 'GET' : 'POST',
      credentials: 'omit',
      headers: {
        Accept: 'application/json',
        'x-functions-key': key,
        ...(options.body === undefined ? {} : { 'Content-Type': 'application/json' }),
      },
      ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
      ...(options.signal ? { signal: options.signal } : {}),
    })
  } catch (error) {
    if (options.signal?.aborted) throw error
    throw new ApiError(messages.errors.unreachable, 0)
  }
  if (!response.ok) throw await toError(response)
  return (await response.json()) as T
}

/** "3 h ago"; for times to come, that they do. */
export function agoWords(then: string, now: number): string {
  const minutes = Math.round((now - Date.parse(then)) / 60_000)
  if (minutes < -1) return ops.inFuture
  if (minutes < 1) return ops.justNow
  if (minutes < 90) return ops.ago.minutes(minutes)
  if (minutes < 48 * 60) return ops.ago.hours(Math.round(minutes / 60))
  return ops.ago.days(Math.round(minutes / 1440))
}

const hours = 3_600_000

/** Something that needs an operator, and the section of docs/runbook.md that says what to do. */
export interface Problem {
  text: string
  runbook: string
}

/** What needs an operator, worst first. */
export function problemsOf(overview: OpsOverview, host: OpsHost | undefined): Problem[] {
  const now = Date.parse(overview.at)
  const found: Problem[] = []
  const say = (runbook: string, text: string) => found.push({ text, runbook })
  if (overview.timerAt && now - Date.parse(overview.timerAt) > 0.25 * hours)
    say('timer-heartbeat', ops.problems.timer(agoWords(overview.timerAt, now)))
  if (overview.oldestDueAt && now - Date.parse(overview.oldestDueAt) > 0.5 * hours)
    say('timer-heartbeat', ops.problems.overdue(agoWords(overview.oldestDueAt, now)))
  if (overview.faults.tenants > 0)
    say('single-businesses', ops.problems.faults(overview.faults.tenants))
  const dead = overview.deadLetters.runs + overview.deadLetters.messages
  if (dead > 0) say('dead-letters', ops.problems.dead(dead))
  if (!overview.queues) say('queue-age', overview.queuesProblem ?? ops.problems.queues)
  for (const queue of overview.queues ?? [])
    if (queue.name.endsWith('-poison') && queue.messages > 0)
      say('queue-age', ops.problems.poison(queue.name, queue.messages))
  for (const circuit of overview.circuits)
    say('sync-failed', ops.problems.circuit(circuit.provider))
  if (host && host.missingMigrations > 0)
    say('not-ready', ops.problems.migrations(host.missingMigrations))
  for (const setting of host?.settings ?? [])
    if (setting.required && !setting.isSet) say('not-ready', ops.problems.setting(setting.name))
  if (!overview.lastBackup || now - Date.parse(overview.lastBackup.takenAt) > 26 * hours)
    say('backups', ops.problems.backup)
  else if (!overview.lastBackup.verifiedAt) say('backups', ops.problems.unverified)
  return found
}

/** What became of several that were tried again, in words: "3 tried again, 1 paused …". */
export function outcomeWords(outcomes: readonly Outcome[]): string {
  if (outcomes.length === 1 && outcomes[0]) return ops.outcomes[outcomes[0]]
  const counts = new Map<Outcome, number>()
  for (const outcome of outcomes) counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
  return `${[...counts].map(([outcome, count]) => ops.outcomesOfMany[outcome](count)).join(', ')}.`
}

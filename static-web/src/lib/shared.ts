import { ApiError } from '../api/client'
import type { Compare, Range, SharedDashboard } from '../api/types'
import { messages } from '../messages'
import { readSnapshot, writeSnapshot, type Snapshot } from './storage'

const base = import.meta.env.VITE_API_BASE ?? ''

/** The secrets that a link's fragment holds; several, separated by commas, are several dashboards. */
export const secretsOf = (hash: string): string[] =>
  hash
    .replace(/^#/, '')
    .split(',')
    .filter((one) => /^kps_[\w-]{20,100}$/.test(one))
    .slice(0, 20)

// A part of the secret tells the copies apart and opens nothing.
export const snapshotName = (secret: string, range: Range, compare: Compare) =>
  `shared.${secret.slice(-8)}.${range}.${compare}`

interface Tagged {
  tag: string | null
  data: SharedDashboard
}
const answers = new Map<string, Tagged>()

/** The dashboard of a link. What did not change since the last time is not sent again (304). */
export async function readShared(
  secret: string,
  range: Range,
  compare: Compare,
  signal?: AbortSignal,
): Promise<SharedDashboard> {
  const name = snapshotName(secret, range, compare)
  const known = answers.get(name)
  let response: Response
  try {
    response = await fetch(`${base}/api/shared/dashboard?range=${range}&compare=${compare}`, {
      headers: {
        Accept: 'application/json',
        'X-Kpi-Share': secret,
        ...(known?.tag ? { 'If-None-Match': known.tag } : {}),
      },
      credentials: 'omit',
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(messages.errors.unreachable, 0)
  }
  if (response.status === 304 && known) {
    writeSnapshot(name, known.data, Date.now())
    return known.data
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => null)) as { detail?: string } | null
    throw new ApiError(problem?.detail ?? messages.errors.status(response.status), response.status)
  }
  const data = (await response.json()) as SharedDashboard
  answers.set(name, { tag: response.headers.get('ETag'), data })
  writeSnapshot(name, data, Date.now())
  return data
}

/** Forgets what is kept of a link that ended, for all its periods. */
export function forgetShared(secret: string) {
  const start = `shared.${secret.slice(-8)}.`
  for (const name of answers.keys()) if (name.startsWith(start)) answers.delete(name)
  try {
    for (const key of Object.keys(localStorage))
      if (key.startsWith(`kpi.snapshot.${start}`)) localStorage.removeItem(key)
  } catch {
    // Where storage is forbidden there is nothing to forget.
  }
}

export const savedShared = (
  secret: string,
  range: Range,
  compare: Compare,
): Snapshot<SharedDashboard> | null => readSnapshot(snapshotName(secret, range, compare))

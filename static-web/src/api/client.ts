import { messages } from '../messages'
import type { Session } from './types'

/** Where the API lives: the same origin, unless the build was told otherwise. */
export const base = import.meta.env.VITE_API_BASE ?? ''

/** What went wrong, in a sentence fit to be shown, and per field where the API said so. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  constructor(
    message: string,
    /** HTTP status; 0 when no answer came at all. */
    readonly status: number,
    readonly fields: Readonly<Record<string, readonly string[]>> = {},
    readonly traceId?: string,
    /** The API's name for this kind of problem: the last part of its `type`. */
    readonly kind?: string,
    /** Seconds until it may be tried again. */
    readonly retryAfter?: number,
  ) {
    super(message)
  }
  get offline() {
    return this.status === 0
  }
}

// Static Web Apps overwrites Authorization on /api, so the token travels in a header of its own, and lives in memory only.
let accessToken: string | null = null
let tokenTenant: string | null = null
let onSession: (session: Session | null) => void = () => undefined
let refreshing: Promise<Session | null> | null = null

/** What start.js asked for while this was on its way, by method and path; null where no answer came. */
const early = window.kpiStart
delete window.kpiStart
/** How long an answer may lie there, in milliseconds. */
const fresh = 60_000

/** An answer that is there already, or coming; each is taken once. Undefined: nothing was asked, or by somebody else. */
async function begun(method: string, path: string) {
  const key = `${method} ${path}`
  const asked = early?.answers[key]
  if (!asked) return undefined
  early.answers[key] = undefined
  if (Date.now() - early.at > fresh) return undefined
  const answer = await asked
  return method === 'POST' || early.token === accessToken ? answer : undefined
}

/** Tells the page whenever the session is renewed, or ends (null). */
export function listenToSession(listener: typeof onSession) {
  onSession = listener
}

export function adopt(session: Session | null) {
  accessToken = session?.accessToken ?? null
  tokenTenant = session?.tenant.id ?? null
  onSession(session)
}

async function send(method: string, path: string, body?: unknown, signal?: AbortSignal) {
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (accessToken) headers['X-Kpi-Token'] = accessToken
  const file = body instanceof Blob
  if (body !== undefined) headers['Content-Type'] = file ? 'text/csv' : 'application/json'
  const known = await begun(method, path)
  if (known) return known
  try {
    if (known === null) throw new TypeError('start.js got no answer.')
    return await fetch(`${base}/api/${path}`, {
      method,
      headers,
      credentials: 'include',
      ...(body === undefined ? {} : { body: file ? body : JSON.stringify(body) }),
      ...(signal ? { signal } : {}),
    })
  } catch (error) {
    if (signal?.aborted) throw error
    throw new ApiError(messages.errors.unreachable, 0)
  }
}

export async function toError(response: Response) {
  const problem: unknown = await response.json().catch(() => null)
  const fields: Record<string, string[]> = {}
  let sentence: string | undefined
  let traceId: string | undefined
  let kind: string | undefined
  if (problem && typeof problem === 'object') {
    const p = problem as Record<string, unknown>
    if (typeof p.detail === 'string' && p.detail) sentence = p.detail
    else if (typeof p.title === 'string' && p.title) sentence = p.title
    if (typeof p.traceId === 'string') traceId = p.traceId
    kind = String(p.type).split('/').pop()
    if (p.errors && typeof p.errors === 'object')
      for (const [field, said] of Object.entries(p.errors as Record<string, unknown>))
        fields[field] = (Array.isArray(said) ? said : [said]).map(String)
  }
  return new ApiError(
    sentence ?? messages.errors.status(response.status),
    response.status,
    fields,
    traceId,
    kind,
    Number(response.headers.get('Retry-After')) || undefined,
  )
}

async function read<T>(response: Response): Promise<T> {
  if (!response.ok) throw await toError(response)
  const text = await response.text()
  return (text === '' ? undefined : JSON.parse(text)) as T
}

/** Tabs take turns: the refresh token rotates, and using an old one looks like theft. */
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  return typeof navigator !== 'undefined' && 'locks' in navigator
    ? (navigator.locks.request('kpi.refresh', work) as Promise<T>)
    : work()
}

/** Exchanges the refresh cookie for a session; null when there is none. Calls made meanwhile share the one exchange. */
export function refreshSession(): Promise<Session | null> {
  refreshing ??= inTurn(async () => {
    const response = await send('POST', 'auth/refresh')
    if (response.status === 401 || response.status === 403 || response.status === 400) {
      adopt(null)
      return null
    }
    const session = await read<Session>(response)
    adopt(session)
    return session
  }).finally(() => {
    refreshing = null
  })
  return refreshing
}

interface CallOptions {
  signal?: AbortSignal
  /** The business that the answer is for. Another tab may have switched the session to a different one. */
  tenantId?: string
}

async function answer(
  method: string,
  path: string,
  body?: unknown,
  { signal, tenantId }: CallOptions = {},
): Promise<Response> {
  const sameTenant = () => {
    if (tenantId !== undefined && tokenTenant !== null && tokenTenant !== tenantId)
      throw new ApiError(messages.errors.switched, 409)
  }
  if (!accessToken) await refreshSession()
  sameTenant()
  const used = accessToken
  let response = await send(method, path, body, signal)
  if (response.status === 401) {
    // Another call may have renewed the session while this one was under way.
    const renewed = accessToken !== used && accessToken !== null ? true : await refreshSession()
    sameTenant()
    if (renewed) response = await send(method, path, body, signal)
    if (response.status === 401) adopt(null)
  }
  return response
}

async function granted(...what: Parameters<typeof answer>) {
  const response = await answer(...what)
  if (response.ok) return response
  const error = await toError(response)
  // The session then says that a second factor is missing, and the page leads to where it is set up.
  if (error.kind === 'second-factor-required') refreshSession().catch(() => undefined)
  throw error
}

const call = async <T>(...what: Parameters<typeof answer>) => read<T>(await granted(...what))

export const api = {
  get: <T>(path: string, options?: CallOptions) => call<T>('GET', path, undefined, options),
  /** A `Blob` goes as it is, as a CSV file. */
  post: <T>(path: string, body: unknown = {}) => call<T>('POST', path, body),
  patch: <T>(path: string, body: unknown) => call<T>('PATCH', path, body),
  put: <T>(path: string, body: unknown) => call<T>('PUT', path, body),
  delete: <T>(path: string) => call<T>('DELETE', path),
  /** The answer itself, for files. */
  file: (path: string) => granted('GET', path),
  /** A call that needs no session; whoever is signed in is named along. */
  async open<T>(method: 'GET' | 'POST', path: string, body?: unknown) {
    // Who is signed in here must be known first, and its late answer must not undo what follows.
    await refreshing?.catch(() => undefined)
    return read<T>(await send(method, path, body))
  },
  /** Switches the tenant of the session. */
  async switchTenant(tenantId: string) {
    const session = await call<Session>('POST', 'auth/switch', { tenantId })
    adopt(session)
    return session
  },
  /** Ends the session here even when the server cannot be told. */
  async signOut() {
    try {
      await send('POST', 'auth/logout')
    } catch {
      // Offline: the cookie stays until it expires, the page forgets everything now.
    }
    adopt(null)
  },
}

/** A query string without the parts that are not set. */
export function query(parts: Record<string, string | undefined>) {
  const set = Object.entries(parts).filter(
    (part): part is [string, string] => part[1] !== undefined,
  )
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`
}

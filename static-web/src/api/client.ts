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

/** What happened in another tab, and is not what this one shows. */
export type Elsewhere =
  | { kind: 'switched' | 'removed'; name: string; covers?: false }
  | { kind: 'other-person'; name: string; covers: true }
  | { kind: 'signed-out'; covers: true }

/** What this tab knows of the session that all tabs share; what is done when they part is loaded only then (lib/apart.ts). */
export const tab = {
  // Static Web Apps overwrites Authorization on /api, so the token travels in a header of its own, and lives in memory only.
  token: null as string | null,
  /** The business that the token is for. */
  tokenTenant: null as string | null,
  /**
   * The person and the business that the page shows, and that everything it sends is meant for. When the session goes to another business elsewhere, this page
   * stays where it is until the person says so. Not `sure`: what is remembered of the last visit, before the server has confirmed it.
   */
  shown: null as { user: string; tenant: string; sure: boolean } | null,
  elsewhere: null as Elsewhere | null,
  onElsewhere: (() => undefined) as (what: Elsewhere | null) => void,
  waiting: [] as (() => void)[],
}
let onSession: (session: Session | null) => void = () => undefined
let refreshing: Promise<Session | null> | null = null

const apart = () => import('../lib/apart')
/** Loaded for what it tells other tabs, and hears from them; where that fails, this tab is on its own. */
const together = (work: (tabs: Awaited<ReturnType<typeof apart>>) => void) =>
  void apart().then(work, () => undefined)

/** What start.js asked for while this was on its way, by method and path; null where no answer came. */
const early = window.kpiStart
delete window.kpiStart
/** How long an answer may lie there, in milliseconds. */
const fresh = 60_000

/**
 * How long an answer may take, in milliseconds; a file on a slow line takes longer. Without an end, a connection that neither answers nor breaks would
 * keep a button at "Saving…" for good, and, in a renewal of the session, every tab in its queue.
 */
const limit = { answer: 60_000, file: 600_000 }

/** What ends a call: who asked, or the limit. */
function ends(limit: number, signal?: AbortSignal) {
  const late = AbortSignal.timeout(limit)
  return signal ? AbortSignal.any([signal, late]) : late
}

const leaving = 'kpi.leaving'
/** Without storage it is known as long as the page is open. */
let left = false

/** Somebody signed out here and the server could not be told yet: the cookie is still good, and must go before anything else is asked. */
function isLeaving() {
  try {
    return left || localStorage.getItem(leaving) !== null
  } catch {
    return left
  }
}

function setLeaving(on: boolean) {
  left = on
  try {
    if (on) localStorage.setItem(leaving, '1')
    else localStorage.removeItem(leaving)
  } catch {
    // Storage may be forbidden.
  }
}

async function leave() {
  const response = await send('POST', 'auth/logout')
  // Refused counts as told: then there is no session to end.
  if (response.status >= 500) throw await toError(response)
  setLeaving(false)
}

addEventListener('online', () => {
  if (isLeaving()) leave().catch(() => undefined)
})

/** An answer that is there already, or coming; each is taken once. Undefined: nothing was asked, or by somebody else. */
async function begun(method: string, path: string) {
  const key = `${method} ${path}`
  const asked = early?.answers[key]
  if (!asked) return undefined
  early.answers[key] = undefined
  if (Date.now() - early.at > fresh) return undefined
  const answer = await asked
  return method === 'POST' || early.token === tab.token ? answer : undefined
}

/** Tells the page whenever the session is renewed, or ends (null), and what other tabs do with it. */
export function listenToSession(
  listener: typeof onSession,
  tabListener: typeof tab.onElsewhere = () => undefined,
) {
  onSession = listener
  tab.onElsewhere = tabListener
}

/** The page goes on with this session, and shows what it is in. */
export function adopt(session: Session | null) {
  tab.token = session?.accessToken ?? null
  tab.tokenTenant = session?.tenant.id ?? null
  tab.shown = session && { user: session.user.id, tenant: session.tenant.id, sure: true }
  if (tab.elsewhere) tab.onElsewhere((tab.elsewhere = null))
  onSession(session)
  together(({ adopted }) => {
    adopted(session)
  })
}

async function send(
  method: string,
  path: string,
  body?: unknown,
  signal?: AbortSignal,
  page?: string | null,
) {
  if (path !== 'auth/logout' && isLeaving()) await leave()
  const headers: Record<string, string> = { Accept: 'application/json' }
  if (tab.token) headers['X-Kpi-Token'] = tab.token
  // For which business this is; the API refuses it when the session is in another.
  if (page) headers['X-Kpi-Tenant'] = page
  const file = body instanceof Blob
  if (body !== undefined) headers['Content-Type'] = file ? 'text/csv' : 'application/json'
  const known = await begun(method, path)
  if (known) return known
  try {
    if (known === null) throw new TypeError('start.js got no answer.')
    const ask = () =>
      fetch(`${base}/api/${path}`, {
        method,
        headers,
        credentials: 'include',
        ...(body === undefined ? {} : { body: file ? body : JSON.stringify(body) }),
        signal: ends(file ? limit.file : limit.answer, signal),
      })
    // It uses the refresh token up, as a renewal does.
    return await (path === 'auth/switch' ? inTurn(ask) : ask())
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
    // It may be somewhere else by now, without this page having asked to go anywhere.
    const { shown } = tab
    if (!shown?.sure || (shown.user === session.user.id && shown.tenant === session.tenant.id))
      adopt(session)
    else (await apart()).part(session)
    return session
  }).finally(() => {
    refreshing = null
  })
  return refreshing
}

interface CallOptions {
  signal?: AbortSignal
  /** The business that the answer is for; what the page shows when it is left out. */
  tenantId?: string
  /** Goes to another business, from whichever this page shows. */
  leaves?: boolean
}

async function answer(
  method: string,
  path: string,
  body?: unknown,
  { signal, tenantId, leaves }: CallOptions = {},
): Promise<Response> {
  const page = leaves ? undefined : (tenantId ?? tab.shown?.tenant)
  /** Only in the business that the page showed when this was begun; reading waits for it, writing is refused. */
  const here = async () => {
    if (leaves) return
    if (tab.elsewhere || (page && tab.shown && tab.shown.tenant !== page))
      await (await apart()).here(page, method === 'GET', signal)
  }
  if (!tab.token && (leaves || !tab.elsewhere)) await refreshSession()
  await here()
  // Woken up with the session of before gone.
  if (!tab.token) await refreshSession()
  const used = tab.token
  let response = await send(method, path, body, signal, page ?? tab.shown?.tenant)
  if (response.status === 401) {
    // Another call may have renewed the session while this one was under way.
    const renewed = tab.token !== used && tab.token !== null ? true : await refreshSession()
    await here()
    if (renewed) response = await send(method, path, body, signal, page ?? tab.shown?.tenant)
    if (response.status === 401) adopt(null)
  }
  return response
}

async function granted(...what: Parameters<typeof answer>) {
  const response = await answer(...what)
  if (response.ok) return response
  const error = await toError(response)
  // The session then says that a second factor is missing, or in which business it is, and the page goes by that.
  if (error.kind === 'second-factor-required' || error.kind === 'other-business')
    refreshSession().catch(() => undefined)
  throw error
}

const call = async <T>(...what: Parameters<typeof answer>) => read<T>(await granted(...what))

export const api = {
  get: <T>(path: string, options?: CallOptions) => call<T>('GET', path, undefined, options),
  /** A `Blob` goes as it is, as a CSV file. */
  post: <T>(path: string, body: unknown = {}, options?: CallOptions) =>
    call<T>('POST', path, body, options),
  patch: <T>(path: string, body: unknown) => call<T>('PATCH', path, body),
  put: <T>(path: string, body: unknown) => call<T>('PUT', path, body),
  delete: <T>(path: string) => call<T>('DELETE', path),
  /** The answer itself, for files. */
  file: (path: string) => granted('GET', path),
  /** A call that needs no session; whoever is signed in is named along. */
  async open<T>(method: 'GET' | 'POST', path: string, body?: unknown) {
    // Who is signed in here must be known first, and its late answer must not undo what follows.
    await refreshing?.catch(() => undefined)
    return read<T>(await send(method, path, body, undefined, tab.token && tab.shown?.tenant))
  },
  /** Switches the tenant of the session; every other tab is told. */
  async switchTenant(tenantId: string) {
    const session = await call<Session>('POST', 'auth/switch', { tenantId }, { leaves: true })
    adopt(session)
    return session
  },
  /** Ends the session here even when the server cannot be told. */
  async signOut() {
    try {
      await leave()
    } catch {
      // Offline: the page forgets everything now, and the session ends as soon as there is a network.
      setLeaving(true)
    }
    adopt(null)
    together(({ signedOut }) => {
      signedOut()
    })
  },
}

/** A query string without the parts that are not set. */
export function query(parts: Record<string, string | undefined>) {
  const set = Object.entries(parts).filter(
    (part): part is [string, string] => part[1] !== undefined,
  )
  return set.length === 0 ? '' : `?${new URLSearchParams(set).toString()}`
}

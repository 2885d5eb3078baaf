import { beforeEach, describe, expect, it, vi } from 'vitest'
import { adopt, api, ApiError, listenToSession, query, refreshSession } from './client'
import { showCurrent } from '../lib/apart'
import type { Session } from './types'

const session = (token: string, tenantId = 't1'): Session => ({
  accessToken: token,
  expiresIn: 900,
  user: {
    id: 'u',
    email: 'a@b.c',
    displayName: 'A',
    emailVerified: true,
    hasPassword: true,
    secondFactor: false,
    secondFactorProved: false,
  },
  tenant: {
    id: tenantId,
    name: 'T',
    role: 'owner',
    timeZone: 'UTC',
    currency: 'EUR',
    locale: 'en',
    weekStart: 1,
    isDemo: false,
    permissions: ['signed_in', 'read'],
    secondFactorMissing: false,
    deleteAfter: null,
  },
  tenants: [],
})
const json = (body: unknown, status = 200) => new Response(JSON.stringify(body), { status })

/** A server that knows one valid token and hands out the next one on refresh. */
function server({
  valid,
  next,
  refreshable = true,
}: {
  valid: string
  next: Session
  refreshable?: boolean
}) {
  let accepts = valid
  const calls: { path: string; token: string | null; headers: Headers }[] = []
  vi.stubGlobal('fetch', async (path: string, init: RequestInit) => {
    const headers = new Headers(init.headers)
    calls.push({ path, token: headers.get('X-Kpi-Token'), headers })
    await new Promise((resolve) => setTimeout(resolve, 5))
    if (path === '/api/auth/refresh') {
      if (!refreshable) return json({ title: 'Unauthorized', status: 401 }, 401)
      accepts = next.accessToken
      return json(next)
    }
    return headers.get('X-Kpi-Token') === accepts
      ? json({ path })
      : json({ title: 'Unauthorized', status: 401 }, 401)
  })
  return { calls, refreshes: () => calls.filter((c) => c.path === '/api/auth/refresh').length }
}

beforeEach(() => {
  vi.unstubAllGlobals()
  listenToSession(() => undefined)
  adopt(null)
})

describe('the API client', () => {
  it('sends the token in X-Kpi-Token and never in Authorization', async () => {
    adopt(session('good'))
    const { calls } = server({ valid: 'good', next: session('x') })
    await api.get('kpis')
    expect(calls[0]?.token).toBe('good')
    expect(calls[0]?.headers.has('Authorization')).toBe(false)
  })

  it('renews an expired session once for 10 calls at the same time, and repeats each of them', async () => {
    adopt(session('old'))
    const api1 = server({ valid: 'new-only', next: session('new') })
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, i) => api.get<{ path: string }>(`thing/${i}`)),
    )
    expect(api1.refreshes()).toBe(1)
    expect(answers.map((a) => a.path)).toEqual(
      Array.from({ length: 10 }, (_, i) => `/api/thing/${i}`),
    )
  })

  it('restores the session first when it has no token yet', async () => {
    const s = server({ valid: 'none', next: session('new') })
    await Promise.all([api.get('a'), api.get('b')])
    expect(s.calls.map((c) => c.path)).toEqual(['/api/auth/refresh', '/api/a', '/api/b'])
  })

  it('ends the session when it cannot be renewed, without trying again and again', async () => {
    const heard: (Session | null)[] = []
    adopt(session('old'))
    listenToSession((s) => heard.push(s))
    const s = server({ valid: 'other', next: session('x'), refreshable: false })
    await expect(api.get('a')).rejects.toMatchObject({ status: 401 })
    expect(s.refreshes()).toBe(1)
    expect(heard).toContain(null)
  })

  it('refuses an answer meant for another business', async () => {
    adopt(session('good', 't2'))
    server({ valid: 'good', next: session('x') })
    await expect(api.get('metrics/summary', { tenantId: 't1' })).rejects.toMatchObject({
      status: 409,
    })
  })

  it('does not repeat a call for another business after the renewal brought that one', async () => {
    adopt(session('old', 't1'))
    const s = server({ valid: 'none', next: session('new', 't2') })
    const heard: (Session | null)[] = []
    const elsewhere = vi.fn()
    listenToSession((one) => heard.push(one), elsewhere)
    const read = api.get('metrics/summary', { tenantId: 't1' })
    await vi.waitFor(() => {
      expect(elsewhere).toHaveBeenCalledWith({ kind: 'removed', name: 'T' })
    })
    // The page does not turn, a read waits, and a write is refused and never sent.
    expect(heard).toEqual([])
    await expect(api.put('tenant', {})).rejects.toMatchObject({ kind: 'other-business' })
    expect(s.calls.filter((c) => c.path === '/api/metrics/summary')).toHaveLength(1)
    expect(s.calls.filter((c) => c.path === '/api/tenant')).toHaveLength(0)
    // Only now, at the person's word; what was asked for the business of before is no answer for this one.
    await showCurrent()
    await expect(read).rejects.toMatchObject({ status: 409 })
    expect(heard.map((one) => one?.tenant.id)).toEqual(['t2'])
  })

  it('says with every call which business the page shows', async () => {
    adopt(session('good', 't7'))
    const { calls } = server({ valid: 'good', next: session('x') })
    await api.get('kpis')
    await api.post('goals', {})
    await api.patch('goals/1', {})
    await api.put('tenant', {})
    await api.delete('goals/1')
    await api.file('export')
    await api.open('POST', 'auth/confirm', {})
    expect(calls.map((c) => c.headers.get('X-Kpi-Tenant'))).toEqual(Array(7).fill('t7'))
  })

  it('hears of other tabs, stays where it is, and comes back', async () => {
    adopt(session('old', 't1'))
    const elsewhere = vi.fn()
    listenToSession(() => undefined, elsewhere)
    const other = new BroadcastChannel('kpi-session')
    const tell = (tenant: string, user = 'u') => {
      other.postMessage({ kind: 'session', user, userName: 'Eve', tenant, tenantName: 'Two' })
    }
    tell('t2')
    await vi.waitFor(() => {
      expect(elsewhere).toHaveBeenLastCalledWith({ kind: 'switched', name: 'Two' })
    })
    tell('t1')
    await vi.waitFor(() => {
      expect(elsewhere).toHaveBeenLastCalledWith(null)
    })
    other.postMessage({ kind: 'signed-out' })
    await vi.waitFor(() => {
      expect(elsewhere).toHaveBeenLastCalledWith({ kind: 'signed-out', covers: true })
    })
    const s = server({ valid: 'new', next: session('new', 't1') })
    await expect(api.post('goals', {})).rejects.toMatchObject({ kind: 'other-business' })
    const read = api.get('kpis')
    expect(s.calls).toEqual([])
    // Signed in again as the same person: what waited goes on with the new session.
    tell('t1')
    await expect(read).resolves.toEqual({ path: '/api/kpis' })
    tell('t1', 'somebody else')
    await vi.waitFor(() => {
      expect(elsewhere).toHaveBeenLastCalledWith({
        kind: 'other-person',
        name: 'Eve',
        covers: true,
      })
    })
    other.close()
  })

  it('speaks the sentences of problem+json, by field too', async () => {
    adopt(session('good'))
    vi.stubGlobal('fetch', () =>
      Promise.resolve(
        json(
          {
            title: 'Bad',
            status: 400,
            detail: 'The range is too long.',
            traceId: 'abc',
            errors: { to: ['Too late.'] },
          },
          400,
        ),
      ),
    )
    const error = await api.get('x').catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ApiError)
    expect(error).toMatchObject({
      message: 'The range is too long.',
      status: 400,
      fields: { to: ['Too late.'] },
      traceId: 'abc',
    })
  })

  it('has a sentence even for an answer that is not JSON, and for none', async () => {
    adopt(session('good'))
    vi.stubGlobal('fetch', () => Promise.resolve(new Response('<html>', { status: 502 })))
    await expect(api.get('x')).rejects.toMatchObject({
      message: 'The server could not answer (502).',
    })
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')))
    await expect(api.get('x')).rejects.toMatchObject({ status: 0, offline: true })
  })

  it('keeps the kind of a problem and the time to wait', async () => {
    vi.stubGlobal('fetch', () =>
      Promise.resolve(
        new Response(
          JSON.stringify({ type: 'https://kpi-dashboard.example/problems/too-many-requests' }),
          { status: 429, headers: { 'Retry-After': '840' } },
        ),
      ),
    )
    await expect(api.open('POST', 'auth/login', {})).rejects.toMatchObject({
      kind: 'too-many-requests',
      retryAfter: 840,
    })
  })

  it('takes an answer without a body for what it is', async () => {
    vi.stubGlobal('fetch', () => Promise.resolve(new Response(null, { status: 202 })))
    await expect(api.open('POST', 'auth/forgot-password', {})).resolves.toBeUndefined()
  })

  it('does not take a wrong password for an ended session where none is needed', async () => {
    const heard: (Session | null)[] = []
    adopt(session('good'))
    listenToSession((s) => heard.push(s))
    vi.stubGlobal('fetch', () => Promise.resolve(json({ detail: 'Not right.' }, 401)))
    await expect(api.open('POST', 'auth/confirm', {})).rejects.toMatchObject({ status: 401 })
    expect(heard).toEqual([])
  })

  it('waits for the renewal under way, whose end must not undo a sign-in', async () => {
    const s = server({ valid: 'none', next: session('x'), refreshable: false })
    const renewal = refreshSession()
    await api.open('POST', 'auth/login', {}).catch(() => undefined)
    await renewal
    expect(s.calls.map((c) => c.path)).toEqual(['/api/auth/refresh', '/api/auth/login'])
  })

  it('renews the session when a second factor turns out to be missing', async () => {
    const heard: (Session | null)[] = []
    adopt(session('good'))
    listenToSession((s) => heard.push(s))
    vi.stubGlobal('fetch', (path: string) =>
      Promise.resolve(
        path === '/api/auth/refresh'
          ? json(session('next'))
          : json({ type: 'https://x/problems/second-factor-required', detail: 'Set one up.' }, 403),
      ),
    )
    await expect(api.get('kpis')).rejects.toMatchObject({ kind: 'second-factor-required' })
    await vi.waitFor(() => {
      expect(heard.map((s) => s?.accessToken)).toEqual(['next'])
    })
  })

  it('keeps the session when the server is away', async () => {
    const heard: (Session | null)[] = []
    listenToSession((s) => heard.push(s))
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('network')))
    await expect(api.get('x')).rejects.toMatchObject({ status: 0 })
    expect(heard).toEqual([])
  })
})

it('leaves unset parts out of a query', () => {
  expect(query({ range: 'last_day', from: undefined })).toBe('?range=last_day')
  expect(query({})).toBe('')
})

describe('what start.js asked for', () => {
  const early = async (token: string, answers: Record<string, Response | null>) => {
    vi.resetModules()
    window.kpiStart = {
      at: Date.now(),
      token,
      answers: Object.fromEntries(
        Object.entries(answers).map(([key, answer]) => [key, Promise.resolve(answer)]),
      ),
    }
    return import('./client')
  }

  it('is taken once each, and then the server is asked', async () => {
    const { calls } = server({ valid: 'early', next: session('early') })
    const client = await early('early', {
      'POST auth/refresh': json(session('early')),
      'GET metrics/summary?range=x': json({ from: 'start.js' }),
    })
    expect(window.kpiStart).toBeUndefined()
    const get = () => client.api.get<unknown>('metrics/summary?range=x', { tenantId: 't1' })
    expect(await get()).toEqual({ from: 'start.js' })
    expect(calls).toEqual([])
    expect(await get()).toEqual({ path: '/api/metrics/summary?range=x' })
    expect(calls).toHaveLength(1)
  })

  it('is no answer to somebody who has another token by now', async () => {
    const { calls } = server({ valid: 'other', next: session('x') })
    const client = await early('early', { 'GET a': json({ from: 'start.js' }) })
    client.adopt(session('other'))
    expect(await client.api.get('a')).toEqual({ path: '/api/a' })
    expect(calls).toHaveLength(1)
  })

  it('fails as the network failed, and the next call asks anew', async () => {
    const { refreshes } = server({ valid: 'new', next: session('new') })
    const client = await early('', { 'POST auth/refresh': null })
    await expect(client.refreshSession()).rejects.toMatchObject({ status: 0 })
    expect(refreshes()).toBe(0)
    expect(await client.api.get('a')).toEqual({ path: '/api/a' })
    expect(refreshes()).toBe(1)
  })
})

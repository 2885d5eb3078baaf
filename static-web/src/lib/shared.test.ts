import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { readShared, savedShared, secretsOf } from './shared'

const secret = `kps_${'a'.repeat(43)}`
const board = { name: 'Board', summary: { kpis: [] } }

describe('the fragment of a link', () => {
  it.each([
    ['', 0],
    ['#', 0],
    ['#kps_short', 0],
    ['#nonsense', 0],
    [`#${secret}`, 1],
    [`#${secret},kps_${'b'.repeat(43)}`, 2],
    [`#${Array(30).fill(secret).join(',')}`, 20],
  ])('%s has %i secrets', (hash, count) => {
    expect(secretsOf(hash)).toHaveLength(count)
  })
})

describe('reading a shared dashboard', () => {
  beforeEach(() => {
    localStorage.clear()
  })
  afterEach(() => {
    vi.unstubAllGlobals()
  })

  it('sends the secret in a header, the tag of the last answer, and keeps what did not change', async () => {
    const asked: RequestInit[] = []
    vi.stubGlobal('fetch', (url: string, init: RequestInit) => {
      expect(url).not.toContain(secret)
      asked.push(init)
      return Promise.resolve(
        asked.length === 1
          ? new Response(JSON.stringify(board), { headers: { ETag: '"x"' } })
          : new Response(null, { status: 304 }),
      )
    })
    expect(await readShared(secret, 'last_7_days', 'none')).toEqual(board)
    expect(await readShared(secret, 'last_7_days', 'none')).toEqual(board)
    expect(asked.map((one) => (one.headers as Record<string, string>)['X-Kpi-Share'])).toEqual([
      secret,
      secret,
    ])
    expect((asked[1]?.headers as Record<string, string>)['If-None-Match']).toBe('"x"')
    expect(asked.every((one) => one.credentials === 'omit')).toBe(true)
    const saved = savedShared(secret, 'last_7_days', 'none')
    expect(saved?.data).toEqual(board)
    expect(JSON.stringify({ ...localStorage })).not.toContain(secret)
  })

  it('says what the server said, and that it cannot be reached', async () => {
    vi.stubGlobal('fetch', () =>
      Promise.resolve(new Response(JSON.stringify({ detail: 'Gone.' }), { status: 404 })),
    )
    await expect(readShared(secret, 'last_28_days', 'none')).rejects.toMatchObject({
      message: 'Gone.',
      status: 404,
    })
    vi.stubGlobal('fetch', () => Promise.reject(new TypeError('x')))
    await expect(readShared(secret, 'last_28_days', 'none')).rejects.toMatchObject({ status: 0 })
  })
})

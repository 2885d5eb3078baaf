import { beforeEach, expect, it, vi } from 'vitest'
import { adopt, api, refreshSession } from './client'

let online = true
let answer = 204
let asked: string[] = []

beforeEach(async () => {
  online = true
  answer = 204
  vi.stubGlobal('fetch', (path: string) => {
    if (!online) return Promise.reject(new TypeError('offline'))
    asked.push(path.replace('/api/', ''))
    return Promise.resolve(
      path.endsWith('auth/logout')
        ? new Response(null, { status: answer })
        : new Response('{"title":"Unauthorized"}', { status: 401 }),
    )
  })
  await api.signOut()
  adopt(null)
  asked = []
  localStorage.clear()
})

it('ends the session before anything else once there is a network again', async () => {
  online = false
  await api.signOut()
  await expect(refreshSession()).rejects.toMatchObject({ status: 0 })
  online = true
  await refreshSession()
  expect(asked).toEqual(['auth/logout', 'auth/refresh'])
  await refreshSession()
  expect(asked).toEqual(['auth/logout', 'auth/refresh', 'auth/refresh'])
})

it('ends it as soon as the network is back, without being asked for anything', async () => {
  online = false
  await api.signOut()
  online = true
  dispatchEvent(new Event('online'))
  await vi.waitFor(() => {
    expect(asked).toEqual(['auth/logout'])
  })
  expect(localStorage.getItem('kpi.leaving')).toBeNull()
})

it('ends it before somebody signs in', async () => {
  online = false
  await api.signOut()
  online = true
  await api.open('POST', 'auth/login', {}).catch(() => undefined)
  expect(asked).toEqual(['auth/logout', 'auth/login'])
})

it('goes on trying while the server cannot answer', async () => {
  answer = 503
  await api.signOut()
  await expect(refreshSession()).rejects.toMatchObject({ status: 503 })
  answer = 401
  await refreshSession()
  expect(asked).toEqual(['auth/logout', 'auth/logout', 'auth/logout', 'auth/refresh'])
})

import { act, renderHook } from '@testing-library/react'
import type { ReactNode } from 'react'
import { BrowserRouter } from 'react-router'
import { afterEach, describe, expect, it } from 'vitest'
import { ApiError } from '../api/client'
import { isOfLink, ownPath, tokenOf, useLinkToken, wanted } from './link'

const around = ({ children }: { children: ReactNode }) => <BrowserRouter>{children}</BrowserRouter>
const arrive = (address: string) => {
  history.replaceState(null, '', address)
}

afterEach(() => {
  sessionStorage.clear()
  arrive('/')
})

describe('the secret of a link', () => {
  it('is read from the fragment only', () => {
    expect(tokenOf('#token=abc-_1')).toBe('abc-_1')
    expect(tokenOf('#other=1')).toBeNull()
    expect(tokenOf('')).toBeNull()
  })

  it('leaves the address bar as soon as it is read, and is still there to be used', () => {
    arrive('/verify-email?a=1#token=abc')
    const { result, rerender } = renderHook(() => useLinkToken('verify-email'), { wrapper: around })
    expect(result.current.token).toBe('abc')
    expect(location.href).toBe('http://localhost:3000/verify-email?a=1')
    rerender()
    expect(result.current.token).toBe('abc')
  })

  it('survives a reload, until it was used', () => {
    arrive('/invitation#token=abc')
    renderHook(() => useLinkToken('invitation'), { wrapper: around }).unmount()
    arrive('/invitation')
    const again = renderHook(() => useLinkToken('invitation'), { wrapper: around })
    expect(again.result.current.token).toBe('abc')
    act(() => {
      again.result.current.forget()
    })
    expect(again.result.current.token).toBeNull()
    expect(Object.keys(sessionStorage)).toEqual([])
  })

  it('is not taken for that of another page', () => {
    arrive('/invitation#token=abc')
    renderHook(() => useLinkToken('invitation'), { wrapper: around }).unmount()
    arrive('/reset-password')
    expect(
      renderHook(() => useLinkToken('reset-password'), { wrapper: around }).result.current.token,
    ).toBeNull()
  })
})

describe('where to go after signing in', () => {
  it.each([
    ['/automation?range=last_day', '/automation?range=last_day'],
    ['/invitation', '/invitation'],
    ['//evil.example', '/'],
    ['/\\evil.example', '/'],
    ['https://evil.example/', '/'],
    ['javascript:alert(1)', '/'],
    [undefined, '/'],
    [{}, '/'],
  ])('%s leads to %s', (path, expected) => {
    expect(ownPath(path)).toBe(expected)
  })

  it('is what the page before said, or else the address', () => {
    expect(wanted({ state: { from: '/automation' }, search: '?returnTo=%2Fother' })).toBe(
      '/automation',
    )
    expect(wanted({ state: null, search: '?returnTo=%2Fautomation' })).toBe('/automation')
    expect(wanted({ state: null, search: '?returnTo=%2F%2Fevil.example' })).toBe('/')
  })
})

it('tells the problems of a link from those that can be mended', () => {
  expect(isOfLink(new ApiError('Gone.', 404))).toBe(true)
  expect(isOfLink(new ApiError('Used.', 400, { token: ['Used.'] }))).toBe(true)
  expect(isOfLink(new ApiError('Short.', 400, { password: ['Short.'] }))).toBe(false)
  expect(isOfLink(new ApiError('Confirm your address first.', 409))).toBe(false)
  expect(isOfLink(new ApiError('Away.', 0))).toBe(false)
  expect(isOfLink(new TypeError('x'))).toBe(false)
})

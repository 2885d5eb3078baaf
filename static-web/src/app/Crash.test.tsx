import { act, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Crash } from './Crash'

const Fails = () => {
  throw new TypeError('Failed to fetch dynamically imported module: /assets/goals.js')
}

const show = () =>
  render(
    <Crash>
      <Fails />
    </Crash>,
  )

const pass = (milliseconds: number) => {
  act(() => {
    vi.advanceTimersByTime(milliseconds)
  })
}

const reload = vi.fn()

beforeEach(() => {
  vi.useFakeTimers()
  sessionStorage.clear()
  vi.stubGlobal('location', { reload })
  vi.spyOn(console, 'error').mockImplementation(() => undefined)
})

afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
  reload.mockReset()
})

test('a part that cannot be had although there is a network is tried again by itself, thrice within two minutes', () => {
  vi.spyOn(performance, 'now').mockReturnValue(500)
  for (let tries = 1; tries <= 5; tries++) {
    const { unmount } = show()
    expect(screen.getByRole('button')).toBeTruthy()
    pass(4_000)
    expect(reload).toHaveBeenCalledTimes(Math.min(tries, 3))
    unmount()
  }
  pass(120_000)
  show()
  pass(4_000)
  expect(reload).toHaveBeenCalledTimes(4)
})

test('a page that was just loaded anew waits a moment, an older one does not', () => {
  const age = vi.spyOn(performance, 'now').mockReturnValue(500)
  show()
  pass(1_000)
  expect(reload).not.toHaveBeenCalled()
  pass(2_500)
  expect(reload).toHaveBeenCalledTimes(1)
  age.mockReturnValue(60_000)
  show()
  pass(1)
  expect(reload).toHaveBeenCalledTimes(2)
})

test('who leaves before is not taken back', () => {
  vi.spyOn(performance, 'now').mockReturnValue(500)
  show().unmount()
  pass(10_000)
  expect(reload).not.toHaveBeenCalled()
})

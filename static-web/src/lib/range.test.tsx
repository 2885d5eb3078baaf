import { act, renderHook } from '@testing-library/react'
import { MemoryRouter, useLocation } from 'react-router'
import { expect, it } from 'vitest'
import { usePeriod } from './range'

const at = (address: string) =>
  renderHook(() => ({ period: usePeriod(), search: useLocation().search }), {
    wrapper: ({ children }) => <MemoryRouter initialEntries={[address]}>{children}</MemoryRouter>,
  }).result

it("reads a preset, days of one's own before it, and nothing that could not be days", () => {
  expect(at('/').current.period.span).toEqual({ range: 'last_28_days' })
  expect(at('/?range=last_day').current.period.range).toBe('last_day')
  const own = at('/?range=last_day&from=2026-11-01&to=2026-11-10').current.period
  expect(own.span).toEqual({ from: '2026-11-01', to: '2026-11-10' })
  expect(own.range).toBeNull()
  expect(own.preset).toBe('last_day')
  for (const wrong of [
    'from=2026-11-10&to=2026-11-01',
    'from=2026-11-10',
    'from=2026-13-01&to=2026-13-02',
    'from=2000-01-01&to=2026-11-01',
  ])
    expect(at(`/?${wrong}`).current.period.span).toEqual({ range: 'last_28_days' })
})

it("leaves days of one's own when a preset is chosen, and a preset for days", () => {
  const page = at('/?from=2026-11-01&to=2026-11-10&grain=week&compare=none')
  act(() => {
    page.current.period.setRange('last_7_days')
  })
  expect(page.current.search).toBe('?grain=week&compare=none&range=last_7_days')
  act(() => {
    page.current.period.setDays('2026-10-01', '2026-10-31')
  })
  expect(page.current.search).toBe('?compare=none&from=2026-10-01&to=2026-10-31')
})

it('narrows every question to the sources of the address, and widens it again', () => {
  const id = '0190b2c4-1111-7222-8333-444455556666'
  const page = at(`/?range=last_7_days&sources=${id},push`)
  expect(page.current.period.span).toEqual({ range: 'last_7_days', sources: `${id},push` })
  act(() => {
    page.current.period.setSources('push')
  })
  expect(page.current.period.span).toEqual({ range: 'last_7_days', sources: 'push' })
  act(() => {
    page.current.period.setSources(null)
  })
  expect(page.current.search).toBe('?range=last_7_days')
  for (const wrong of ['', 'all', `${id},`, '../x'])
    expect(at(`/?sources=${wrong}`).current.period.span).toEqual({ range: 'last_28_days' })
})

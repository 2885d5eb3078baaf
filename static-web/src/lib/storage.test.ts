import { expect, it } from 'vitest'
import { forgetSnapshots, readSnapshot, writeSnapshot } from './storage'

it('keeps a snapshot with its time, and only the newest 24', () => {
  for (let i = 0; i < 30; i++) writeSnapshot(`n${i}`, { i }, 1000 + i)
  expect(readSnapshot('n29')).toEqual({ at: 1029, data: { i: 29 } })
  expect(readSnapshot('n0')).toBeNull()
  expect(localStorage.length).toBe(24)
})

it('forgets the snapshots of someone who leaves, and nothing else', () => {
  localStorage.setItem('kpi.theme', 'dark')
  writeSnapshot('a', 1, 1)
  forgetSnapshots()
  expect(readSnapshot('a')).toBeNull()
  expect(localStorage.getItem('kpi.theme')).toBe('dark')
})

import { expect, it } from 'vitest'
import { isBehind } from './behind'

const today = '2026-11-23'
const source = {
  status: 'ok',
  connector: 'google-analytics',
  completeThrough: '2026-11-19',
} as const

it('tells a source that has nothing newer from one that waits as usual', () => {
  expect(isBehind(source, today)).toBe(true)
  expect(isBehind({ ...source, completeThrough: '2026-11-20' }, today)).toBe(false)
  expect(isBehind({ ...source, completeThrough: null }, today)).toBe(false)
  // What is the matter with it is said already; what is pushed comes when it comes.
  expect(isBehind({ ...source, status: 'failing' }, today)).toBe(false)
  expect(isBehind({ ...source, connector: 'push' }, today)).toBe(false)
})

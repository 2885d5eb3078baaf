import { describe, expect, it } from 'vitest'
import { ApiError } from '../api/client'
import { choicesOf, isGone, joined, namesOf, type Source } from './sources'

const source = (id: string, ...kpis: string[]): Source => ({
  id,
  connector: id.slice(0, 2),
  name: id.toUpperCase(),
  connected: true,
  firstDay: null,
  completeThrough: null,
  finalThrough: null,
  kpis,
})
const website = ['web.sessions', 'web.active_users', 'web.active_users_7d']
const flows = ['automation.executions', 'automation.failed']
const ids = (all: readonly Source[], of: string) => choicesOf(all, of).map((one) => one.id)

describe('what a page can be narrowed to', () => {
  it('is nothing with one source, or with several that know different numbers', () => {
    expect(ids([], '')).toEqual([])
    expect(ids([source('ga1', ...website)], '')).toEqual([])
    expect(
      ids([source('ga1', ...website), source('n1', ...flows), source('push', 'custom.a')], ''),
    ).toEqual([])
  })

  it('is all of them that know some of the numbers as soon as two know the same', () => {
    const all = [source('ga1', ...website), source('ga2', ...website), source('n1', ...flows)]
    expect(ids(all, '')).toEqual(['ga1', 'ga2', 'n1'])
    expect(ids(all, 'web.')).toEqual(['ga1', 'ga2'])
    expect(ids(all, 'automation.')).toEqual([])
    expect(ids(all, 'web.sessions')).toEqual(['ga1', 'ga2'])
  })

  it('takes the key of a number as it is, not as the beginning of others', () => {
    const all = [
      source('ga1', 'web.active_users'),
      source('ga2', 'web.active_users_7d'),
      source('ga3', 'web.active_users_7d'),
    ]
    expect(ids(all, 'web.active_users')).toEqual([])
    expect(ids(all, 'web.active_users_7d')).toEqual(['ga2', 'ga3'])
  })

  it('leaves out what was connected and has no number yet', () => {
    expect(ids([source('ga1', ...website), source('ga2')], '')).toEqual([])
    expect(ids([source('ga1', ...website), source('ga2', ...website), source('ga3')], '')).toEqual([
      'ga1',
      'ga2',
    ])
  })
})

it('says what sources are called, and nothing where one of them is gone', () => {
  const all = [source('a'), source('b'), source('c')]
  expect(namesOf(['b', 'a'], all)).toEqual(['B', 'A'])
  expect(namesOf(['a', 'x'], all)).toBeNull()
  expect(joined(['A'])).toBe('A')
  expect(joined(['A', 'B'])).toBe('A and B')
  expect(joined(['A', 'B', 'C'])).toBe('A, B and C')
})

it('knows an answer about sources that are gone from other refusals', () => {
  expect(isGone(new ApiError('No', 400, { sources: ['gone'] }))).toBe(true)
  expect(isGone(new ApiError('No', 400, { range: ['what'] }))).toBe(false)
  expect(isGone(new Error('No'))).toBe(false)
  expect(isGone(null)).toBe(false)
})

import { describe, expect, it } from 'vitest'
import { complete, keyOf, suggest, wordAt } from './complete'

const kpis = [
  { key: 'shop.revenue', name: 'Revenue' },
  { key: 'shop.revenue_per_session', name: 'Revenue per visit' },
  { key: 'web.sessions', name: 'Sessions' },
  { key: 'automation.time_saved', name: 'Time saved' },
]
const keys = (word: string) => suggest(word, kpis).map(({ insert }) => insert)

describe('completing a formula', () => {
  it('finds the word before the caret', () => {
    expect(wordAt('shop.revenue / (web.se', 22)).toEqual({ start: 16, word: 'web.se' })
    expect(wordAt('shop.revenue / ', 15)).toEqual({ start: 15, word: '' })
    expect(wordAt('2 * we + 1', 6)).toEqual({ start: 4, word: 'we' })
  })

  it('offers keys that begin with it first, then names, and functions too', () => {
    expect(keys('shop')).toEqual(['shop.revenue', 'shop.revenue_per_session'])
    expect(keys('rev')).toEqual(['shop.revenue', 'shop.revenue_per_session'])
    expect(keys('Time')).toEqual(['automation.time_saved'])
    expect(keys('ro')).toEqual(['round('])
    expect(keys('sess')[0]).toBe('web.sessions')
  })

  it('offers nothing for nothing, and nothing more for what is complete', () => {
    expect(keys('')).toEqual([])
    expect(keys('web.sessions')).toEqual([])
    expect(keys('nothing_like_it')).toEqual([])
  })

  it('replaces the word, also where it goes on after the caret', () => {
    expect(complete('2 * we + 1', 6, 'web.sessions')).toEqual({
      formula: '2 * web.sessions + 1',
      caret: 16,
    })
    expect(complete('shop.rev', 4, 'shop.revenue').formula).toBe('shop.revenue')
  })
})

describe('the key of a name', () => {
  it('is in small letters with single underscores', () => {
    expect(keyOf('Revenue per hour saved')).toBe('calc.revenue_per_hour_saved')
    expect(keyOf('  Größe & Co. (€) ')).toBe('calc.gro_e_co')
    expect(keyOf('…')).toBe('')
    expect(keyOf('x'.repeat(80))).toHaveLength(60)
  })
})

import { describe, expect, it } from 'vitest'
import type { Integration, SyncRun } from '../../api/types'
import {
  clocksOf,
  keyOf,
  leadOf,
  needsALook,
  parseMinutes,
  planOf,
  progressOf,
  runLine,
  stateOf,
  storyOf,
  took,
} from './words'

const zone = 'Europe/London'
const now = new Date('2026-11-22T12:00:00Z')
const source = (changes: Partial<Integration> = {}): Integration => ({
  id: 'a',
  connector: 'google-analytics',
  displayName: 'Google Analytics',
  status: 'ok',
  message: null,
  schedule: 'daily',
  nextDueAt: '2026-11-23T04:07:00Z',
  fetchedAt: '2026-11-22T06:12:00Z',
  completeThrough: '2026-11-21',
  finalThrough: '2026-11-19',
  readFrom: '2025-10-22',
  measurableFrom: null,
  syncHour: 4,
  address: null,
  propertyId: null,
  propertyName: null,
  account: null,
  grant: null,
  silent: false,
  readMessages: null,
  rhythm: null,
  lateAfterHours: null,
  ...changes,
})
const words = (changes: Partial<Integration>) =>
  stateOf(source(changes), zone, now, 'en-GB').sentences.join(' ')

describe('what a source says of its state', () => {
  it('says nothing more where all is well', () => {
    expect(stateOf(source(), zone, now, 'en-GB')).toEqual({
      tone: 'good',
      label: 'Read on time',
      sentences: [],
    })
  })
  it('says of a source that sends by itself what is missed, and not that it should have been read', () => {
    const late = source({
      connector: 'n8n',
      displayName: 'n8n',
      schedule: 'push',
      status: 'late',
      message:
        'n8n has sent nothing for 3 days, which is longer than the 38 hours that are usual here.',
      rhythm: 'learned',
      lateAfterHours: 38,
    })
    expect(stateOf(late, zone, now, 'en-GB')).toEqual({
      tone: 'attention',
      label: 'Late',
      sentences: [late.message],
    })
  })
  it('names since when a lost sign-in leaves numbers missing, not zero', () => {
    const said = words({
      status: 'reconnect_needed',
      message: 'The Google sign-in has expired or was withdrawn.',
      fetchedAt: '2026-11-17T06:12:00Z',
      completeThrough: '2026-11-16',
    })
    expect(said).toBe(
      'The Google sign-in has expired or was withdrawn. Last read Tue 17 Nov, 06:12. Numbers after Mon 16 Nov are missing, not zero.',
    )
  })
  it('does not say twice that they are missing', () => {
    const said = words({
      status: 'reconnect_needed',
      message: 'n8n no longer lets us in. Numbers since then are missing, not zero.',
    })
    expect(said.match(/missing, not zero/g)).toHaveLength(1)
  })
  it('speaks of no last reading where there was none', () => {
    expect(
      words({ status: 'failing', message: 'It failed.', fetchedAt: null, completeThrough: null }),
    ).toBe('It failed. Its numbers are missing, not zero.')
  })
  it('tells that a paused source has a gap', () => {
    expect(words({ status: 'paused' })).toBe(
      'Nothing is read while it is paused. Numbers after Sat 21 Nov are missing, not zero.',
    )
  })
  it('does not call a source that only sends unread or late', () => {
    const state = stateOf(source({ status: 'never_synced', schedule: 'push' }), zone, now)
    expect(state.label).toBe('Receiving')
    expect(state.sentences).toEqual(['It sends its runs to us; nothing is asked of it.'])
  })
  it('says the same of a silent source alone and of all together', () => {
    const silent = source({ silent: true, completeThrough: '2026-11-15' })
    expect(stateOf(silent, zone, now, 'en-GB')).toEqual({
      tone: 'attention',
      label: 'No new data',
      sentences: [
        'It is read on time, but has no data since Mon 16 Nov. Check that it still measures.',
      ],
    })
    expect(leadOf([source(), silent])).toBe('1 of 2 sources needs a look.')
    expect(leadOf([silent])).toBe('Your source needs a look.')
    expect(leadOf([source(), source()])).toBe('2 sources, all read on time.')
    const states: Partial<Integration>[] = [
      ...(['ok', 'syncing', 'late', 'failing', 'reconnect_needed'] as const).map((status) => ({
        status,
      })),
      { silent: true },
    ]
    for (const one of states)
      for (const other of states) {
        const both = [source(one), source(other)]
        const fine = both.every((each) => stateOf(each, zone, now).tone === 'good')
        expect(leadOf(both).endsWith('read on time.')).toBe(fine)
      }
  })
  it('asks for a look at what is late, failing or lost, and at nothing else', () => {
    const all: Integration['status'][] = [
      'ok',
      'syncing',
      'never_synced',
      'late',
      'failing',
      'reconnect_needed',
      'paused',
    ]
    expect(all.filter((status) => needsALook(source({ status })))).toEqual([
      'late',
      'failing',
      'reconnect_needed',
    ])
  })
})

describe('the clocks and the plan of a source', () => {
  it('has three, each with its meaning', () => {
    const clocks = clocksOf(source(), zone, now, 'en-GB')
    expect(clocks.map(({ name, at }) => [name, at])).toEqual([
      ['Fetched', '06:12'],
      ['Complete through', 'Sat 21 Nov'],
      ['Final through', 'Thu 19 Nov'],
    ])
    expect(new Set(clocks.map(({ why }) => why)).size).toBe(3)
  })
  it('says that a clock has not begun, and invents no day', () => {
    const never = source({ fetchedAt: null, completeThrough: null, finalThrough: null })
    expect(clocksOf(never, zone, now).map(({ at }) => at)).toEqual([
      'Not yet',
      'Not yet',
      'Not yet',
    ])
  })
  it('names how often, when next and how far back', () => {
    expect(planOf(source(), zone, now, 'en-GB')).toBe(
      'Every day at 04:00 · next Mon 23 Nov, 04:07 · read back to 22 Oct 2025',
    )
  })
  it('promises no next reading while paused, and none in the past', () => {
    expect(planOf(source({ status: 'paused' }), zone, now)).not.toContain('next')
    expect(planOf(source({ nextDueAt: '2026-11-22T11:00:00Z' }), zone, now)).toContain(
      'next in a moment',
    )
  })
})

const run = (changes: Partial<SyncRun> = {}): SyncRun => ({
  id: 'r',
  integrationId: 'a',
  connector: 'google-analytics',
  displayName: 'Google Analytics',
  trigger: 'manual',
  status: 'succeeded',
  windowFrom: '2026-11-18',
  windowTo: '2026-11-21',
  slicesDone: 2,
  slicesTotal: 2,
  attempts: 0,
  readings: 340,
  changed: 14,
  restated: 3,
  queuedAt: '2026-11-22T06:12:00Z',
  startedAt: '2026-11-22T06:12:05Z',
  finishedAt: '2026-11-22T06:12:17Z',
  nextAttemptAt: null,
  message: null,
  requests: null,
  restatements: null,
  ...changes,
})
/** What stands between two days is a matter of the ICU data at hand. */
const plain = (text: string) => text.replaceAll(/\s*–\s*/g, '–')
const story = (changes: Partial<SyncRun>) =>
  storyOf(run(changes), zone, now, 'en-GB').map(({ text }) => plain(text))

describe('the story of a run', () => {
  it('goes from what started it to how it ended', () => {
    expect(story({})).toEqual([
      'Someone asked for it',
      'Begun after 5 s in the queue',
      'Read 18–21 Nov, in 2 parts',
      '340 numbers read, 14 new or different',
      '3 numbers of ended days changed by the source',
      'Done, 12 s after it began',
    ])
  })
  it('tells of attempts and of what went wrong, and does not say it is done', () => {
    const told = story({
      status: 'dead',
      attempts: 5,
      message: 'Google is down.',
      readings: 0,
      restated: 0,
    })
    expect(told).toContain('5 attempts failed and were made again')
    expect(told).toContain('Google is down.')
    expect(told.at(-1)).toBe(
      'We stopped trying after several attempts; the next reading makes up for it',
    )
  })
  it('tells when a waiting run tries again', () => {
    const told = story({
      status: 'waiting',
      finishedAt: null,
      message: 'Google asks us to wait.',
      nextAttemptAt: '2026-11-22T13:00:00Z',
    })
    expect(told.at(-1)).toBe('Next try 13:00')
  })
  it('has nothing but its beginning while queued', () => {
    expect(
      story({
        status: 'queued',
        startedAt: null,
        finishedAt: null,
        windowFrom: null,
        windowTo: null,
        readings: 0,
        restated: 0,
      }),
    ).toEqual(['Someone asked for it'])
  })
  it('counts the parts that are done while it reads', () => {
    expect(
      story({ status: 'running', finishedAt: null, slicesDone: 1, slicesTotal: 14 }),
    ).toContain('Reading 18–21 Nov, 1 of 14 parts done')
  })
})

describe('a run in a line', () => {
  it('says what changed', () => {
    expect(plain(runLine(run(), zone, now, 'en-GB'))).toBe(
      '18–21 Nov: 14 numbers changed, 3 of ended days',
    )
    expect(plain(runLine(run({ changed: 0, restated: 0 }), zone, now, 'en-GB'))).toBe(
      '18–21 Nov: nothing changed',
    )
  })
  it('says why it failed', () => {
    expect(progressOf(run({ status: 'failed', message: 'No access.' }), zone, now)).toBe(
      'No access.',
    )
  })
  it('measures how long it took', () => {
    const from = '2026-11-22T06:00:00Z'
    expect(took(from, '2026-11-22T06:00:00.420Z', 'en-GB')).toBe('0.4 s')
    expect(took(from, '2026-11-22T06:03:05Z', 'en-GB')).toBe('3 min 5 s')
    expect(took(from, '2026-11-22T08:04:00Z', 'en-GB')).toBe('2 h 4 min')
    expect(took(from, '2026-11-22T05:00:00Z', 'en-GB')).toBe('0 s')
  })
})

describe('what is typed', () => {
  it('makes keys of names', () => {
    expect(keyOf('Orders shipped')).toBe('orders_shipped')
    expect(keyOf('  Größe & Maß – 2 ')).toBe('grosse_mass_2')
    expect(keyOf('日本')).toBe('')
    for (const name of ['a__b', '_a_', `${'x '.repeat(60)}`])
      expect(keyOf(name)).toMatch(/^[a-z0-9](_?[a-z0-9])*$/)
    expect(`custom.${keyOf('x '.repeat(60))}`.length).toBeLessThanOrEqual(60)
  })
  it('reads minutes, nothing, and refuses the rest', () => {
    expect(parseMinutes('12')).toBe(12)
    expect(parseMinutes('1,5')).toBe(1.5)
    expect(parseMinutes('  ')).toBeNull()
    for (const wrong of ['-1', '1.234', '10001', 'ten', '1e3'])
      expect(parseMinutes(wrong)).toBeUndefined()
  })
})

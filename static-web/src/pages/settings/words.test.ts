import { describe, expect, it } from 'vitest'
import {
  ago,
  auditSentence,
  changeValue,
  deviceWords,
  fieldWords,
  fileSize,
  parseAmount,
  scopeWords,
  weekday,
} from './words'

describe('deviceWords', () => {
  it.each([
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:130.0) Gecko/20100101 Firefox/130.0',
      'Firefox on Windows',
    ],
    [
      'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
      'Chrome on Mac',
    ],
    [
      'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0',
      'Edge on Windows',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1',
      'Safari on iPhone',
    ],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0 Mobile/15E148 Safari/604.1',
      'Chrome on iPhone',
    ],
    [
      'Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36',
      'Samsung Internet on Android',
    ],
    [
      'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36',
      'Chrome on Linux',
    ],
    ['curl/8.5.0', 'curl'],
    ['  ', 'Unknown device'],
    [null, 'Unknown device'],
  ])('%s', (agent, words) => {
    expect(deviceWords(agent)).toBe(words)
  })
})

describe('scopeWords', () => {
  it('says what a token may do', () => {
    expect(scopeWords(['n8n', 'refresh'])).toBe('Report n8n runs, start a refresh')
  })
  it('shows a scope that it does not know as it is', () => {
    expect(scopeWords(['read', 'later'])).toBe('Read numbers, later')
  })
})

describe('auditSentence', () => {
  const of = (action: string, words: string, subjectName: string | null) =>
    auditSentence({ actorName: 'anna@x.test', action, words, subjectName })
  it('names the other person', () => {
    expect(of('member.role_changed', 'Changed a role', 'ben@x.test')).toBe(
      'anna@x.test changed the role of ben@x.test',
    )
  })
  it('does not name a person twice', () => {
    expect(of('session.opened', 'Signed in', 'anna@x.test')).toBe('anna@x.test signed in')
    expect(of('member.joined', 'Joined', 'anna@x.test')).toBe('anna@x.test joined')
  })
  it('names what it was done to where there is no sentence of its own', () => {
    expect(of('goal.made', 'Made a goal', 'Revenue')).toBe('anna@x.test made a goal (Revenue)')
  })
  it('does not blame a person for a copied sign-in', () => {
    const words = 'A copied sign-in was used; it was ended everywhere'
    expect(of('session.reused', words, 'anna@x.test')).toBe(
      'A copied sign-in of anna@x.test was used; it was ended everywhere',
    )
    expect(of('session.reused', words, null)).toBe(
      'anna@x.test: a copied sign-in was used; it was ended everywhere',
    )
  })
})

describe('changes', () => {
  it('names fields, known or not', () => {
    expect(fieldWords('hourlyLabourCost')).toBe('Labour cost per hour')
    expect(fieldWords('someNewField')).toBe('Some new field')
    expect(fieldWords('delete_after')).toBe('Delete after')
  })
  it('writes values as people read them', () => {
    expect(changeValue('requireSecondFactor', 'true', 'UTC')).toBe('yes')
    expect(changeValue('role', 'admin', 'UTC')).toBe('Admin')
    expect(changeValue('scopes', 'n8n refresh', 'UTC')).toBe('Report n8n runs, start a refresh')
    expect(changeValue('hourlyLabourCost', null, 'UTC')).toBe('nothing')
    // A token without a limit may be used from anywhere: the log must not say the opposite.
    expect(changeValue('allowedAddresses', null, 'UTC')).toBe('anywhere')
    expect(changeValue('expiresAt', '', 'UTC')).toBe('never')
    expect(changeValue('name', 'Merch', 'UTC')).toBe('Merch')
  })
  it('counts weekdays from Sunday', () => {
    expect(weekday(0, 'en-GB')).toBe('Sunday')
    expect(weekday(6, 'en-GB')).toBe('Saturday')
  })
})

describe('ago', () => {
  const now = new Date('2026-11-22T12:00:00Z')
  it.each([
    ['2026-11-22T11:59:30Z', 'just now'],
    ['2026-11-22T12:05:00Z', 'just now'],
    ['2026-11-22T11:15:00Z', '45 minutes ago'],
    ['2026-11-21T13:00:00Z', '23 hours ago'],
    ['2026-11-20T12:00:00Z', '20 Nov'],
    ['2025-11-20T12:00:00Z', '20 Nov 2025'],
  ])('%s', (instant, words) => {
    expect(ago(instant, 'UTC', now, 'en-GB')).toBe(words)
  })
})

describe('parseAmount', () => {
  it.each([
    ['', null],
    ['  ', null],
    ['0', 0],
    ['40', 40],
    ['37.50', 37.5],
    ['37,5', 37.5],
    ['1,640', 1640],
    ['1,234,567.89', 1_234_567.89],
    ['1 640.50', 1640.5],
    ['999999999', 999_999_999],
    ['1000000000', undefined],
    ['-1', undefined],
    ['1.234', undefined],
    ['1e3', undefined],
    ['forty', undefined],
  ])('%s', (typed, amount) => {
    expect(parseAmount(typed)).toBe(amount)
  })
})

describe('fileSize', () => {
  it.each([
    [0, '0 bytes'],
    [999, '999 bytes'],
    [1000, '1 kB'],
    [18_432_112, '18.4 MB'],
  ])('%s', (bytes, words) => {
    expect(fileSize(bytes, 'en-GB').replaceAll('\u00a0', ' ')).toBe(words)
  })
})

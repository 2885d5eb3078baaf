import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { OpsHost, OpsOverview } from '../../api/types'
import { agoWords, outcomeWords, problemsOf } from './queries'

const at = '2026-11-22T12:00:00Z'
const fine: OpsOverview = {
  at,
  tenants: { total: 1, demo: 0, deleting: 0 },
  faults: { tenants: 0, newestAt: null },
  integrations: [],
  runs: [],
  live: { queued: 0, running: 0, waiting: 0, oldestAt: null },
  deadLetters: { runs: 0, messages: 0, newestAt: null },
  circuits: [],
  oldestDueAt: '2026-11-22T11:58:00Z',
  timerAt: '2026-11-22T11:57:00Z',
  mails: { waiting: 0, oldestAt: null },
  lastBackup: {
    id: '0190b2c4-0000-7000-8000-000000000000',
    takenAt: '2026-11-21T12:00:00Z',
    bytes: 1,
    rows: 1,
    schemaVersion: '0014_operations',
    target: 'x',
    verifiedAt: at,
  },
  queues: [{ name: 'sync-n8n-poison', messages: 0, oldestAt: null }],
  queuesProblem: null,
}
const host = { missingMigrations: 0, settings: [] } as unknown as OpsHost

test('says nothing where nothing is wrong', () => {
  expect(problemsOf(fine, host)).toEqual([])
})

test('names each thing that needs somebody', () => {
  const bad: OpsOverview = {
    ...fine,
    oldestDueAt: '2026-11-22T10:00:00Z',
    timerAt: '2026-11-22T11:00:00Z',
    faults: { tenants: 2, newestAt: at },
    deadLetters: { runs: 2, messages: 1, newestAt: at },
    circuits: [{ provider: 'n8n', failures: 5, integrations: 3, openedAt: at, retryAt: at }],
    lastBackup: null,
    queues: [{ name: 'sync-n8n-poison', messages: 4, oldestAt: at }],
  }
  const found = problemsOf(bad, {
    missingMigrations: 2,
    settings: [{ name: 'Web:BaseUrl', isSet: false, required: true, for: 'links' }],
  } as unknown as OpsHost)
  expect(found.map((one) => one.text)).toEqual([
    'The timer last came 60 min ago; it should come every 5 minutes.',
    'A source was due 2 h ago, and nobody took it: does the timer run?',
    'Something is wrong with 2 businesses; the others are served.',
    '3 syncs or messages are not tried any more.',
    '4 messages lie in sync-n8n-poison.',
    'n8n does not answer and is given a rest.',
    'The database lacks 2 migrations.',
    'The setting Web:BaseUrl is missing.',
    'No backup of the last 26 hours is known.',
  ])
  const runbook = readFileSync('../docs/runbook.md', 'utf8')
  for (const one of found) expect(runbook).toMatch(new RegExp(`^#+ ${one.runbook}$`, 'mi'))
})

test('tells what became of one, and of many by kind', () => {
  expect(outcomeWords(['requeued'])).toBe('It is tried again.')
  expect(outcomeWords(['requeued', 'inactive', 'requeued'])).toBe(
    '2 are tried again, 1 waits for its source.',
  )
})

test('a backup that nobody verified and queues that do not answer are said', () => {
  const backup = fine.lastBackup && { ...fine.lastBackup, verifiedAt: null }
  expect(
    problemsOf(
      { ...fine, lastBackup: backup, queues: null, queuesProblem: 'The storage account is away.' },
      undefined,
    ).map((one) => one.text),
  ).toEqual(['The storage account is away.', 'The last backup was not verified.'])
})

test.each([
  ['2026-11-22T11:59:50Z', 'just now'],
  ['2026-11-22T11:00:00Z', '60 min ago'],
  ['2026-11-22T02:00:00Z', '10 h ago'],
  ['2026-11-12T12:00:00Z', '10 days ago'],
  ['2026-11-22T12:30:00Z', 'soon'],
])('%s is %s', (then, words) => {
  expect(agoWords(then, Date.parse(at))).toBe(words)
})

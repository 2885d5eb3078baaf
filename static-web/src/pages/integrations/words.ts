import type { Integration, SyncRun } from '../../api/types'
import { addDays, clock, dayName, dayRange } from '../../lib/dates'
import { shortDay } from '../../lib/dayNames'
import { words } from '../../messages-integrations'
import { locale as own } from '../../lib/locale'

export type Tone = 'good' | 'attention' | 'trouble' | 'plain'

const tones: Record<Integration['status'], Tone> = {
  ok: 'good',
  syncing: 'good',
  late: 'attention',
  reconnect_needed: 'trouble',
  failing: 'trouble',
  paused: 'plain',
  never_synced: 'plain',
}

/** A source that only sends; nothing is ever asked of it. */
export const isPushOnly = (source: Pick<Integration, 'schedule'>) => source.schedule === 'push'

/** In what state a source is: two words for the eye, and sentences that say since when and what that means for the numbers. */
export function stateOf(
  source: Integration,
  timeZone: string,
  now: Date,
  locale?: string,
): { tone: Tone; label: string; sentences: string[] } {
  const { state } = words
  const read = source.fetchedAt && clock(source.fetchedAt, timeZone, now, locale)
  const through = source.completeThrough && dayName(source.completeThrough, locale)
  const gap = through ? state.missing(through) : state.missingAll
  const behind = source.silent
  const said = (sentence: string | null) => sentence?.trim() ?? ''
  const says = (): string[] => {
    switch (source.status) {
      case 'ok':
        if (behind && source.completeThrough)
          return [state.behind(dayName(addDays(source.completeThrough, 1), locale))]
        if (behind) return [said(source.message)]
        return isPushOnly(source) ? [state.pushOnly] : []
      case 'syncing':
        return [said(source.message) || state.syncing]
      case 'never_synced':
        return [isPushOnly(source) ? state.pushOnly : state.neverSynced]
      case 'late':
        return [said(source.message), read && !isPushOnly(source) ? state.late(read) : '']
      case 'paused':
        return [through ? state.pausedSince(through) : said(source.message)]
      case 'failing':
      case 'reconnect_needed': {
        const message = said(source.message)
        return [
          message,
          read ? state.since(read) : '',
          // Some messages of the API say so themselves.
          message.includes('missing, not zero') ? '' : gap,
        ]
      }
    }
  }
  const push = isPushOnly(source) && (source.status === 'ok' || source.status === 'never_synced')
  return {
    tone: push ? 'good' : behind ? 'attention' : tones[source.status],
    label: push ? words.status.push : words.status[behind ? 'behind' : source.status],
    sentences: says().filter(Boolean),
  }
}

/** Whether somebody should look at it. */
export const needsALook = ({ status, silent }: Integration) =>
  silent || status === 'late' || status === 'failing' || status === 'reconnect_needed'

/** How all of it is, in a sentence: what the single sources say, counted. */
export function leadOf(sources: readonly Integration[]) {
  const { lead } = words.sources
  const bad = sources.filter(needsALook).length
  if (bad > 0) return lead.trouble(bad, sources.length)
  return sources.every(({ status }) => status === 'ok' || status === 'syncing')
    ? lead.fine(sources.length)
    : lead.waiting(sources.length)
}

/** When it was read, how far it is complete, and up to where it stays. */
export function clocksOf(source: Integration, timeZone: string, now: Date, locale?: string) {
  const none = isPushOnly(source) ? words.clock.pushed : words.clock.never
  const day = (value: string | null) => (value ? dayName(value, locale) : none)
  return [
    {
      ...words.clock.fetched,
      at: source.fetchedAt ? clock(source.fetchedAt, timeZone, now, locale) : none,
    },
    { ...words.clock.complete, at: day(source.completeThrough) },
    { ...words.clock.final, at: day(source.finalThrough) },
  ]
}

/** An hour of the day as it is written where the reader is: "04:00", "4 AM". */
export const hourWords = (hour: number, locale?: string) =>
  new Intl.DateTimeFormat(locale ?? own, {
    hour: '2-digit',
    minute: '2-digit',
    timeZone: 'UTC',
  }).format(Date.UTC(2026, 0, 1, hour))

/** "Every day at 04:00 · next Mon 23 Nov, 04:07 · read back to 22 Oct 2025" */
export function planOf(source: Integration, timeZone: string, now: Date, locale?: string): string {
  const { schedule } = words
  const every =
    source.schedule === 'daily'
      ? schedule.daily(hourWords(source.syncHour ?? 4, locale))
      : source.schedule === 'hourly' || source.schedule === 'quarter_hourly'
        ? schedule[source.schedule]
        : schedule.push
  const due =
    source.nextDueAt && source.status !== 'paused'
      ? Date.parse(source.nextDueAt) <= now.getTime()
        ? schedule.nextNow
        : schedule.next(clock(source.nextDueAt, timeZone, now, locale))
      : ''
  const far = source.measurableFrom
    ? schedule.measurable(dayWithYear(source.measurableFrom, locale))
    : source.readFrom
      ? schedule.back(dayWithYear(source.readFrom, locale))
      : ''
  return [every, due, far].filter(Boolean).join(' · ')
}

/** A day with its year, for days long ago: "22 Oct 2025". */
export const dayWithYear = (day: string, locale?: string) =>
  new Intl.DateTimeFormat(locale ?? own, {
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    timeZone: 'UTC',
  }).format(Date.parse(`${day}T00:00:00Z`))

export const isLive = ({ status }: Pick<SyncRun, 'status'>) =>
  status === 'queued' || status === 'running' || status === 'waiting'

/** How long something took: "0.4 s", "12 s", "3 min 5 s", "2 h 4 min". */
export function took(from: string, to: string, locale?: string): string {
  const seconds = Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000)
  const number = (value: number, digits = 0) =>
    new Intl.NumberFormat(locale ?? own, { maximumFractionDigits: digits }).format(value)
  if (seconds < 60) return `${number(seconds, seconds < 10 ? 1 : 0)} s`
  const whole = Math.round(seconds)
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60]
  return h > 0 ? `${number(h)} h${m > 0 ? ` ${m} min` : ''}` : `${m} min${s > 0 ? ` ${s} s` : ''}`
}

/** The days that a run is about; their years only where they are not this one. */
const daysOfRun = (run: SyncRun, now: Date, locale?: string) =>
  run.windowFrom && run.windowTo
    ? run.windowFrom === run.windowTo
      ? shortDay(run.windowFrom, locale)
      : dayRange(run.windowFrom, run.windowTo, now.toISOString().slice(0, 10), locale)
    : null

/** What a run is doing or did, in a few words. */
export function progressOf(run: SyncRun, timeZone: string, now: Date, locale?: string): string {
  const { progress } = words
  const days = daysOfRun(run, now, locale)
  switch (run.status) {
    case 'queued':
      return progress.queued
    case 'running':
      return days ? progress.running(days) : progress.plain
    case 'waiting':
      return (
        run.message ??
        progress.waiting(run.nextAttemptAt && clock(run.nextAttemptAt, timeZone, now, locale))
      )
    case 'succeeded':
      return progress.done(run.changed)
    case 'failed':
      return progress.failed(run.message)
    case 'dead':
      return progress.dead(run.message)
  }
}

export const runTone = (run: SyncRun): Tone =>
  run.status === 'succeeded'
    ? 'good'
    : run.status === 'failed' || run.status === 'dead'
      ? 'trouble'
      : run.status === 'waiting'
        ? 'attention'
        : 'plain'

/** One line under a run in the list: what changed, or what went wrong. */
export function runLine(run: SyncRun, timeZone: string, now: Date, locale?: string): string {
  if (run.status === 'succeeded') {
    const days = daysOfRun(run, now, locale)
    const changed = words.history.changed(run.changed, run.restated)
    return days ? `${days}: ${changed}` : changed
  }
  return progressOf(run, timeZone, now, locale)
}

export interface Step {
  /** When, where that is known. */
  at: string | null
  text: string
  tone: Tone
}

/** A run as a story: what happened, in order, as far as it is known. */
export function storyOf(run: SyncRun, timeZone: string, now: Date, locale?: string): Step[] {
  const { story, began } = words.history
  const days = daysOfRun(run, now, locale)
  const steps: Step[] = [{ at: run.queuedAt, text: began[run.trigger], tone: 'plain' }]
  const add = (text: string, at: string | null = null, tone: Tone = 'plain') => {
    steps.push({ at, text, tone })
  }
  if (run.startedAt) {
    const waited = Date.parse(run.startedAt) - Date.parse(run.queuedAt)
    add(
      waited < 1000
        ? story.startedAtOnce
        : story.started(took(run.queuedAt, run.startedAt, locale)),
      run.startedAt,
    )
  }
  if (days)
    add(
      run.status === 'succeeded'
        ? story.window(days, run.slicesTotal)
        : story.windowSoFar(days, run.slicesDone, run.slicesTotal),
    )
  if (run.attempts > 0) add(story.attempts(run.attempts), null, 'attention')
  if (run.readings > 0) add(story.readings(run.readings, run.changed))
  if (run.restated > 0) add(story.restated(run.restated))
  if (run.message) add(run.message, null, runTone(run))
  if (run.status === 'waiting' && run.nextAttemptAt)
    add(story.retryAt(clock(run.nextAttemptAt, timeZone, now, locale)))
  if (run.finishedAt)
    add(
      run.status === 'succeeded'
        ? story.done(took(run.startedAt ?? run.queuedAt, run.finishedAt, locale))
        : run.status === 'dead'
          ? story.dead
          : story.failed,
      run.finishedAt,
      runTone(run),
    )
  return steps
}

/** A key for a name that was typed: "Orders shipped" is `orders_shipped`. */
export const keyOf = (name: string) =>
  name
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll('ß', 'ss')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
    .slice(0, 53)
    .replace(/_+$/, '')

/** Minutes as typed, "12", "1,5"; null for nothing, undefined for what cannot be meant. */
export function parseMinutes(typed: string): number | null | undefined {
  const plain = typed.trim().replace(',', '.')
  if (plain === '') return null
  if (!/^\d{1,5}(\.\d{1,2})?$/.test(plain)) return undefined
  const minutes = Number(plain)
  return minutes <= 10_000 ? minutes : undefined
}

// Every sentence the page says, in British-neutral English, in one place. Names of KPIs and sources come from the API.
import type { Compare, Range } from './api/types'

/** Ends a sentence; some languages end their dates with the full stop already. */
export const stop = (text: string) => (text.endsWith('.') ? text : `${text}.`)

/** Names in a sentence. */
export const listed = (names: readonly string[]) =>
  names.length < 2
    ? names.join('')
    : `${names.slice(0, -1).join(', ')} and ${names[names.length - 1] ?? ''}`

const ranges: Record<Range, { label: string; noun: string }> = {
  today: { label: 'Today', noun: 'today so far' },
  last_day: { label: 'Latest day', noun: 'on the latest whole day' },
  last_7_days: { label: '7 days', noun: 'in the last 7 days' },
  last_28_days: { label: '28 days', noun: 'in the last 28 days' },
  last_90_days: { label: '90 days', noun: 'in the last 90 days' },
  last_12_months: { label: '12 months', noun: 'in the last 12 months' },
}

export const messages = {
  product: 'Dynamic KPI Dashboard',
  productShort: 'KPI Dashboard',
  skip: 'Skip to the numbers',

  nav: {
    label: 'Main',
    overview: 'Overview',
    analytics: 'Analytics',
    automation: 'Automation',
    dashboards: 'Dashboards',
    insights: 'Insights',
    goals: 'Goals',
    integrations: 'Integrations',
    settings: 'Settings',
  },
  menu: {
    open: 'Menu',
    close: 'Close',
  },
  tenant: {
    choose: 'Choose another business',
    list: 'Businesses',
    role: { owner: 'Owner', admin: 'Admin', member: 'Member', viewer: 'Viewer' },
    switching: 'Opening…',
    demo: 'Demo data',
    demoLong: 'This business is a demonstration: its numbers are not those of a real company.',
    readOnly: 'Read only',
  },

  ranges,
  rangeLabel: 'Period',
  yesterday: 'Yesterday',
  compareLabel: 'Compare with',
  compare: {
    previous_period: 'previous period',
    none: 'nothing',
  } satisfies Record<Exclude<Compare, 'previous_year'>, string>,
  lastYear: (weekdays: boolean, days: number) =>
    `same ${weekdays ? 'weekday' : 'day'}${days === 1 ? '' : 's'} last year`,
  yearBefore: 'the 12 months before',
  daysBefore: (days: number) => (days === 1 ? 'the day before' : `the ${days} days before`),
  otherDays: 'Other days:',
  versus: 'vs',

  paper: {
    save: 'PDF',
    compared: (what: string) => `compared with ${what}`,
    printed: (day: string) => `printed ${day}`,
  },

  points: (n: string) => `${n}\u00a0pt`,
  pointsLong: (n: string) => `${n} points`,
  level: 'No change',
  changeSpoken: (sign: number, text: string, before: string, tone: 'good' | 'bad' | 'plain') => {
    const moved =
      sign === 0 ? `level with ${before}` : `${sign > 0 ? 'up' : 'down'} ${text} on ${before}`
    return tone === 'plain'
      ? moved
      : `${moved}, ${tone === 'good' ? 'for the better' : 'for the worse'}`
  },
  alike: (text: string, days: number) => `${text} · ${days}\u00a0days`,
  alikeBefore: (days: number, before: string) =>
    `the same weekdays of ${before}, over the ${days} days that both have`,
  withheld: {
    partial: {
      short: 'Days missing',
      long: 'Days of this period have no data, so no change is shown.',
    },
    previous_partial: {
      short: 'Earlier days missing',
      long: 'Days of the earlier period have no data, so no change is shown.',
    },
    no_previous: {
      short: 'Nothing earlier',
      long: 'There is nothing earlier to compare with.',
    },
    zero_previous: {
      short: 'Was 0 before',
      long: 'It was 0 before, so no change is shown.',
    },
    not_measurable: {
      short: 'Not measurable',
      long: 'This cannot be measured for the period.',
    },
  },

  status: {
    final: 'Final',
    provisional: 'May still change',
    partial: 'Incomplete',
    missing: 'No data',
    not_measurable: 'Not measurable',
  },
  notMeasurable: '–',
  notMeasurableWhy: 'This cannot be measured for the period.',

  brief: {
    title: 'What changed',
    health: (score: string, word: string | null, without: readonly string[], day: string | null) =>
      `Business health in the ${day ? `7 days up to ${day}` : 'last 7 days'} is ` +
      (word ? `${word}, ${score} of 100` : `${score} of 100`) +
      (without.length > 0 ? `, without ${listed(without)}` : ''),
    healthMoved: (change: number, part: string | undefined) =>
      change === 0
        ? ', as a week before'
        : `, ${change > 0 ? 'up' : 'down'} ${Math.abs(change)} in a week` +
          (part ? `, mostly ${part.toLowerCase()}` : ''),
    automations: (time: string, worth: string | null, cost: string | null) =>
      `Automations saved ${time}` +
      (worth ? `, worth ${worth}` : '') +
      (cost ? `, for ${cost}.` : '.'),
    quiet: 'Nothing stands out.',
    more: (n: number) => `${n} more`,
    all: 'More',
  },

  goal: {
    on_track: 'Goal on track',
    off_track: 'Behind its goal',
    met: 'Goal met',
    missed: 'Goal missed',
    unknown: 'Goal: too early to tell',
    not_started: 'Goal starts later',
  },

  overview: {
    numbersYet: 'numbers yet',
    title: (tenant: string) => `Overview of ${tenant}`,
    strip: 'Headline numbers',
  },

  fresh: {
    through: (day: string) => `Complete through ${day}`,
    fetched: (time: string) => `fetched ${time}`,
    never: 'Nothing has been fetched yet',
    snapshot: (time: string) => `Saved copy from ${time}, being renewed`,
    offline: (time: string) => `You are offline. These are the numbers saved at ${time}.`,
    stale: (time: string) => `The newest numbers could not be loaded. These were saved at ${time}.`,
  },

  refresh: {
    button: 'Refresh',
    busy: 'Refreshing',
  },

  errors: {
    unreachable: 'The server cannot be reached. Check the connection.',
    status: (status: number) =>
      status >= 500
        ? `The server could not answer (${status}).`
        : status === 403
          ? 'Your role does not allow this.'
          : status === 404
            ? 'This does not exist.'
            : status === 429
              ? 'Too many requests. Wait a moment.'
              : `The request was refused (${status}).`,
    title: 'The numbers could not be loaded',
    stillWorks: 'Nothing is lost: what was read before is kept.',
    retry: 'Try again',
    sourceGone: 'The address names a source that is not here',
    sourceGoneWhy:
      'It was removed since, or belongs to another business. Its numbers are not replaced by those of others.',
    allSources: 'Show all sources',
    crash: 'This part of the page stopped working.',
    reload: 'Reload the page',
    away: {
      title: 'You are offline.',
      text: 'This part of the page was not loaded before. It comes by itself once there is a network.',
    },
    trace: (id: string) => `Reference ${id}`,
  },
  loading: 'Loading',
}

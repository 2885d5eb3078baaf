// Every sentence the page says, in British-neutral English, in one place. Names of KPIs and sources come from the API.
import type { Compare, Range } from './api/types'

const s = (n: number, one: string, many: string) => (n === 1 ? one : many)

/** Ends a sentence; some languages end their dates with the full stop already. */
const stop = (text: string) => (text.endsWith('.') ? text : `${text}.`)

/** "Revenue is", "Sessions are", "Active users per day are": the noun of an English KPI name decides. */
const be = (name: string) => {
  const noun = name.split(/,| per | of | on | saved/)[0] ?? name
  return /[^s]s$/.test(noun.trim()) ? 'are' : 'is'
}

const ranges: Record<Range, { label: string; noun: string; before: string }> = {
  last_day: {
    label: 'Last full day',
    noun: 'on the last full day',
    before: 'the day before',
  },
  last_7_days: {
    label: '7 days',
    noun: 'in the last 7 days',
    before: 'the 7 days before',
  },
  last_28_days: {
    label: '28 days',
    noun: 'in the last 28 days',
    before: 'the 28 days before',
  },
  last_90_days: {
    label: '90 days',
    noun: 'in the last 90 days',
    before: 'the 90 days before',
  },
  last_12_months: {
    label: '12 months',
    noun: 'in the last 12 months',
    before: 'the 12 months before',
  },
}

export const messages = {
  product: 'Dynamic KPI Dashboard',
  productShort: 'KPI Dashboard',
  skip: 'Skip to the numbers',

  nav: { label: 'Main', overview: 'Overview', automation: 'Automation' },
  menu: {
    open: 'Menu',
    theme: 'Theme',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
    shortcuts: 'Keyboard shortcuts',
    signOut: 'Sign out',
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
    previous_year: 'same days last year',
    none: 'nothing',
  } satisfies Record<Compare, string>,
  lastYear: 'the same days last year',
  versus: 'vs',

  points: (n: string) => `${n}\u00a0pt`,
  pointsLong: (n: string) => `${n} points`,
  level: 'Level',
  changeSpoken: (sign: number, text: string, before: string, tone: 'good' | 'bad' | 'plain') => {
    const moved =
      sign === 0 ? `level with ${before}` : `${sign > 0 ? 'up' : 'down'} ${text} on ${before}`
    return tone === 'plain'
      ? moved
      : `${moved}, ${tone === 'good' ? 'for the better' : 'for the worse'}`
  },
  withheld: {
    partial: {
      short: 'Days missing',
      long: 'Days of this period have no data, so no percentage is given.',
    },
    previous_partial: {
      short: 'Earlier days missing',
      long: 'Days of the earlier period have no data, so no percentage is given.',
    },
    no_previous: {
      short: 'Nothing earlier',
      long: 'There is nothing earlier to compare with.',
    },
    zero_previous: {
      short: 'Was 0 before',
      long: 'It was 0 before, so there is no percentage.',
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
    above: (kpi: string, by: string, before: string) => `${kpi} ${be(kpi)} ${by} above ${before}.`,
    below: (kpi: string, by: string, before: string) => `${kpi} ${be(kpi)} ${by} below ${before}.`,
    quiet: (before: string) => `No headline number moved by 3% or more against ${before}.`,
    notComparable: (before: string) => `No fair comparison with ${before}: days are missing.`,
    noCompare: (range: string) => `Your numbers ${range}, without a comparison.`,
    empty: 'No numbers have arrived for this period.',
    complete: (source: string, day: string, many: boolean) =>
      `${many ? `${source}: complete` : 'Complete'} through ${stop(day)} The days after that have no data yet.`,
    silent: (source: string, day: string) => `No ${source} data since ${stop(day)}`,
    failures: (failed: string, rate: string) =>
      `${failed} automation runs failed; ${rate} succeeded.`,
    oneFailure: (rate: string) => `One automation run failed; ${rate} succeeded.`,
    more: (n: number) => `${n} more`,
    show: (kpi: string) => `Show ${kpi} in the chart`,
  },

  overview: {
    title: (tenant: string) => `Overview of ${tenant}`,
    strip: 'Headline numbers',
    all: 'Everything else',
    find: 'Find a number',
    noMore: 'Everything measured stands above.',
    noneFound: (text: string) => `No number is called “${text}”.`,
    table: {
      kpi: 'Number',
      value: 'Value',
      previous: 'Before',
      change: 'Change',
      trend: 'Trend',
    },
    sortByChange: 'Biggest change first',
    automation: 'Automation',
    automationMore: 'All automations',
    automationEmpty:
      'When an automation tool such as n8n is connected, the hours it saves and what they are worth stand here.',
    hoursSaved: 'Time saved',
    valueSaved: 'Worth',
    roi: 'Return on its cost',
    emptyTitle: 'No numbers yet',
    empty:
      'As soon as the first source has been read, revenue, visits and automations appear here, with what changed since the period before.',
    single: 'Four weeks, ending with this day',
  },

  chart: {
    hint: 'Arrow keys walk the days.',
    label: (name: string) => `Chart of ${name}`,
    role: 'chart',
    before: 'Before',
    noData: 'no data',
    table: 'Show as a table',
    tableLabel: (name: string) => `${name}, day by day`,
    hideTable: 'Hide the table',
    day: 'Day',
    week: 'Week of',
    weekOf: (day: string) => `Week of ${day}`,
    statusColumn: 'State',
    provisional: 'What is hatched is incomplete or may still change.',
    missing: (days: string) => `No data for ${stop(days)}`,
    noDataSince: (day: string) => `No data since ${stop(day)}`,
    missingSome: (n: number) => `${n} days have no data.`,
    empty: 'There is nothing to draw for this period.',
    readout: (day: string, value: string) => `${day}: ${value}`,
    failed: 'The chart could not be loaded. The table below has the same numbers.',
    loading: 'Loading the chart',
  },

  fresh: {
    through: (day: string) => `Complete through ${day}`,
    fetched: (time: string) => `fetched ${time}`,
    never: 'Nothing has been fetched yet',
    explain: {
      ok: null,
      syncing: 'New numbers are on their way.',
      late: 'The last scheduled reading did not happen; it will be made up for.',
      reconnect_needed: 'Its sign-in no longer works. Numbers after that are missing, not zero.',
      failing: 'Its last readings failed. Numbers after that are missing, not zero.',
      paused: 'Someone paused it. No new numbers arrive.',
      never_synced: 'The first reading is still to come.',
    },
    snapshot: (time: string) => `Saved copy from ${time}, being renewed`,
    offline: (time: string) => `You are offline. These are the numbers saved at ${time}.`,
    stale: (time: string) => `The newest numbers could not be loaded. These were saved at ${time}.`,
  },

  refresh: {
    button: 'Refresh',
    busy: 'Refreshing',
    title: 'Refresh',
    asking: 'Asking the sources…',
    queued: 'waiting for its turn',
    running: (window: string) => `reading ${window}…`,
    runningPlain: 'reading…',
    slices: (done: number, total: number) => `${done} of ${total}`,
    waiting: (time: string | null) =>
      time ? `the source asked to wait; next try ${time}` : 'the source asked to wait',
    done: (changed: number) =>
      changed === 0
        ? 'done, nothing changed'
        : `done, ${changed} ${s(changed, 'number', 'numbers')} changed`,
    failed: (why: string | null) => `failed. ${why ?? 'It will be tried again.'}`,
    dead: (why: string | null) => `gave up. ${why ?? 'It needs a look.'}`,
    nothing: 'There is no source to refresh.',
    slow: 'This takes longer than two minutes. It goes on without you; the numbers appear when they are in.',
    error: (why: string) => `The refresh could not be started. ${why}`,
    lost: (why: string) => `The progress can no longer be followed. ${why}`,
    close: 'Close',
  },

  automation: {
    title: 'Automation',
    sentence: {
      saved: (time: string, when: string) => `Automations saved ${time} ${when}`,
      worth: (value: string) => `, worth ${value}`,
      cost: (cost: string) => ` against a cost of ${cost}`,
      roi: (roi: string) => `: a return of ${roi}`,
      loss: (roi: string) => `: a return of ${roi}, less than they cost`,
      end: '.',
      nothing: (when: string) => `Automations saved no time ${when}.`,
      notMeasurable: 'Time saved cannot be measured for this period.',
      noCost: 'No automation cost is set, so there is no return to show.',
      more: (diff: string, before: string) => `That is ${diff} more than ${before}.`,
      less: (diff: string, before: string) => `That is ${diff} less than ${before}.`,
      same: (before: string) => `That is the same as ${before}.`,
      measurableFrom: (day: string) =>
        `Runs can be counted from ${day} on; earlier days are unknown, not zero.`,
    },
    facts: {
      successRate: 'Success rate',
      executions: 'Runs',
      failed: 'Failed',
      duration: 'Avg duration',
      saved: 'Time saved',
      value: 'Worth',
      cost: 'Cost',
      roi: 'Return',
    },
    chart: 'Runs per day',
    succeeded: 'Succeeded',
    failed: 'Failed',
    workflows: 'Workflows',
    columns: {
      name: 'Workflow',
      executions: 'Runs',
      successRate: 'Success',
      averageDurationMs: 'Duration',
      timeSavedMinutes: 'Saved',
      valueSaved: 'Worth',
      failed: 'Failed',
    },
    active: 'Active',
    inactive: 'Switched off',
    sortBy: 'Sort by',
    perRun: (time: string) => `${time} per run`,
    noWorkflows: 'No workflow ran in this period.',
    emptyTitle: 'No automation tool is connected',
    empty:
      'Once one is, this page shows which workflows ran, which failed, how many hours they saved, what those are worth, and whether that is more than they cost.',
    emptyHow: 'n8n can be connected through its API, or send its runs to a webhook.',
  },

  notFound: {
    title: 'This page does not exist',
    text: 'The address may be old or mistyped.',
    back: 'Go to the overview',
  },

  shortcuts: {
    title: 'Keyboard shortcuts',
    list: [
      { keys: ['g', 'o'], does: 'Go to the overview' },
      { keys: ['g', 'a'], does: 'Go to automation' },
      { keys: ['/'], does: 'Find a number' },
      { keys: ['←', '→'], does: 'Walk the days of a chart' },
      { keys: ['?'], does: 'Show this list' },
      { keys: ['Esc'], does: 'Close' },
    ],
  },

  errors: {
    unreachable: 'The server cannot be reached. Check the connection.',
    switched: 'Another tab switched to a different business.',
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
    crash: 'This part of the page stopped working.',
    reload: 'Reload the page',
    trace: (id: string) => `Reference ${id}`,
  },
  loading: 'Loading',
}

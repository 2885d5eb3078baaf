// The sentences that the first screen does without; only parts that are loaded later import them.
import { stop } from './messages'

const s = (n: number, one: string, many: string) => (n === 1 ? one : many)

export const later = {
  shell: {
    all: 'All businesses',
    create: 'New business',
    find: 'Find a business',
    noneFound: (text: string) => `No business is called “${text}”.`,
    health: { attention: 'Needs a look', trouble: 'In trouble', empty: 'Nothing connected' },
    profile: 'Your profile',
    help: 'Help',
    deleting: (name: string, day: string) =>
      `${name} will be deleted on ${stop(day)} Until then it can be read but not changed.`,
    keep: 'Keep the business',
    gate: (name: string) =>
      `${name} asks for a second factor. Set yours up below; everything opens right after.`,
    gateCode: (name: string) =>
      `${name} asks for a second factor, and this browser has not given a code yet. Enter one below; everything opens right after.`,
  },

  tabs: {
    label: 'Another tab',
    notSent: (to?: string) =>
      `Nothing was sent: you switched to ${to ?? 'another business'} in another tab. The notice asks where to go on.`,
    notSentSignedOut: 'Nothing was sent: you signed out in another tab.',
    notSentOther: (name: string) => `Nothing was sent: ${name} signed in in another tab.`,
    switched: (to: string) => `You switched to ${to} in another tab.`,
    removed: (from: string) => `You no longer belong to ${from}.`,
    stillShows: (from: string) => `This tab still shows ${from}. What you typed here is kept.`,
    show: (to: string) => `Show ${to} here`,
    back: (from: string) => `Go back to ${from}`,
    otherPerson: (name: string) => `${name} signed in in another tab.`,
    otherPersonMore: 'This tab belonged to somebody else, so it shows nothing any more.',
    goOnAs: (name: string) => `Go on as ${name}`,
    signedOut: 'You signed out in another tab.',
    signedOutMore:
      'Sign in again there, and this tab goes on with what you typed. Or sign in here and begin anew.',
    signIn: 'Sign in here',
  },

  chart: {
    hint: 'Arrow keys walk the points.',
    pick: 'Enter shows where a number comes from.',
    label: (name: string) => `Chart of ${name}`,
    role: 'chart',
    before: 'Before',
    noData: 'no data',
    table: 'Show as a table',
    tableLabel: (name: string) => `${name}, day by day`,
    hideTable: 'Hide the table',
    grain: { day: 'Day', week: 'Week of', month: 'Month of' },
    pointOf: {
      day: (day: string) => day,
      week: (day: string) => `Week of ${day}`,
      month: (day: string) => `Month of ${day}`,
    },
    notes: 'Notes',
    notesOf: (kpi: string) => `Notes on the days of ${kpi}`,
    noteKind: {
      note: 'Note',
      system: 'Found by the system',
      unusual: 'Unusual value',
    },
    by: (author: string) => `by ${author}`,
    moreNotes: (n: number) => `${n} more`,
    statusColumn: 'State',
    provisional: 'What is hatched is incomplete or may still change.',
    missing: (days: string) => `No data for ${stop(days)}`,
    noDataSince: (day: string) => `No data since ${stop(day)}`,
    missingSome: (n: number) => `${n} days have no data.`,
    beforeMissing: (n: number) =>
      n === 1 ? 'One of the days before has no value.' : `${n} of the days before have no value.`,
    torn: (n: number, first: string) =>
      n === 1
        ? `${first}: a source has no data, so there is no total.`
        : `On ${n} days a source has no data, so there is no total.`,
    empty: 'There is nothing to draw for this period.',
    readout: (day: string, value: string) => `${day}: ${value}`,
    failed: 'The chart could not be loaded. The table below has the same numbers.',
    loading: 'Loading the chart',
  },

  overview: {
    all: 'Every other number',
    moved: 'What else moved',
    movement: { chance: 'Changes that may be chance', none: 'Not compared' },
    catalogueOrder: 'Sort as in the catalogue',
    chartOf: 'Number of the chart',
    details: (kpi: string) => `All about ${kpi}`,
    calculated: 'Calculate a number of your own',
    find: 'Find a number',
    noMore: 'Everything measured stands above.',
    noneFound: (text: string) => `No number is called “${text}”.`,
    onPaper: (shown: string, all: string) => `${shown} of ${all} numbers; all are on the page.`,
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
    arithmetic: (worth: string, cost: string, roi: string, holds: boolean) =>
      `(${worth} worth − ${cost} cost) ÷ ${cost} ${holds ? '=' : '≈'} ${roi}`,
    single: 'Four weeks, ending with this day',
  },

  headline: {
    choose: 'Choose the numbers on top',
    title: 'Numbers on top',
    lead: 'For everybody in the business, in this order.',
    place: '. place',
    up: (kpi: string) => `Move ${kpi} up`,
    save: 'Save',
    saving: 'Saving…',
    usual: 'Use the usual ones',
  },

  unsaved: {
    title: 'Leave without saving?',
    text: 'What you changed here is not saved yet.',
    leave: 'Leave and discard',
    stay: 'Stay here',
  },

  actions: {
    title: 'What to do next',
    words: {
      reconnect: (source: string) => `Reconnect ${source}`,
      source: (source: string) => `See why ${source} fails`,
      insight: (text: string) => text,
      labour: () => 'Set what an hour of work costs, and see what automations are worth',
      cost: () => 'Set what automations cost, and see their return',
      goal: () => 'Set a first goal',
    } satisfies Record<string, (name: string) => string>,
    nothing: 'Nothing needs doing now.',
    nothingElse: 'Look at what stands on top; nothing else needs doing now.',
    insights: (n: number) => (n === 1 ? '1 insight' : `All ${n} insights`),
  },

  automation: {
    automations: 'automations',
    title: 'Automation',
    sentence: {
      saved: (time: string, when: string) => `Automations saved ${time} ${when}`,
      worth: (value: string) => `, worth ${value}`,
      cost: (cost: string) => ` against a cost of ${cost}`,
      about: (roi: string) => `about ${roi}`,
      roi: (roi: string) => `: a return of ${roi}`,
      loss: (roi: string) => `: a return of ${roi}, less than they cost`,
      arithmetic: (worth: string, cost: string) => `, that is (${worth} − ${cost}) ÷ ${cost}`,
      end: '.',
      nothing: (when: string) => `Automations saved no time ${when}.`,
      onDays: (days: string, single: boolean) => `${single ? 'on' : 'during'} ${days}`,
      notMeasurable: 'Time saved cannot be measured for this period.',
      noCost: 'No automation cost is set, so there is no return to show.',
      more: (diff: string, before: string) => `That is ${diff} more than ${before}.`,
      less: (diff: string, before: string) => `That is ${diff} less than ${before}.`,
      same: (before: string) => `That is the same as ${before}.`,
      measurableFrom: (day: string) =>
        `Runs can be counted from ${day} on; earlier days are unknown, not zero.`,
    },
    apart: {
      successes_not_kept: (names: string, one: boolean) =>
        `Left out: ${names}. n8n does not keep ${one ? 'its' : 'their'} successes, so ${one ? 'its' : 'their'} runs cannot be counted.`,
      not_shown: (names: string, one: boolean) =>
        `Left out: ${names}. n8n no longer shows ${one ? 'it' : 'them'} to our key.`,
      failed: (count: string, one: boolean) =>
        `${count} ${one ? 'failure is' : 'failures are'} known and left out, too.`,
      more: (count: string) => `and ${count} more`,
      list: (items: string[]) =>
        items.length < 2
          ? (items[0] ?? '')
          : `${items.slice(0, -1).join(', ')} and ${items[items.length - 1] ?? ''}`,
      beside: (parts: string) => `Not among the runs: ${parts}.`,
      canceled: (count: string) => `${count} cancelled`,
      running: (count: string) => `${count} running now`,
      waiting: (count: string) => `${count} waiting now`,
      median: (median: string, mean: string) =>
        `Half of the runs took ${median} or less. A few long ones, which may have waited, raise the average to ${mean}.`,
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
      payback: 'Paid back in',
      lost: 'Lost to failures',
    },
    days: (count: string, one: boolean) => `${count}\u00a0${one ? 'day' : 'days'}`,
    paybackTip: (days: string) =>
      `So many days of work, at the mean of the period, cover the cost of its ${days}.`,
    notPaidBack: 'not in this time',
    chart: 'Runs per day',
    beside: {
      title: 'Revenue and automations',
      intro: 'Both over the same days; marked is what went wrong.',
      revenue: 'Revenue',
      value: 'Worth of the time saved',
      time: 'Time saved',
      moved: {
        apart: 'moved together no more than chance would have it',
        together: 'tended to move together',
        closely: 'moved closely together',
        against: 'tended to move in opposite directions',
        closelyAgainst: 'moved in opposite directions',
      },
      correlation: (what: string, how: string, r: string, days: string) =>
        `Over ${days} days, weekdays compared with their own kind, revenue and ${what} ${how} (r\u00a0=\u00a0${r}). This is a correlation: it does not tell whether one causes the other.`,
      worth: 'the worth of the time saved',
      hours: 'the time saved',
      tooFew: (least: string) =>
        `Whether the two move together is only told over ${least} complete days or more. It would be a correlation, not a cause.`,
    },
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
      lostMinutes: 'Lost',
    },
    trend: 'Trend',
    trendBy: (days: number) => (days === 1 ? 'Runs by day' : 'Runs by week'),
    lostIs: 'Lost: what the failed runs would have saved.',
    before: (value: string) => `before ${value}`,
    active: 'Active',
    inactive: 'Switched off',
    sortBy: 'Sort by',
    perRun: (time: string) => `${time} per run`,
    noWorkflows: 'No workflow ran in this period.',
    emptyTitle: 'No automation tool is connected',
    empty:
      'Once one is, this page shows which workflows ran, which failed, how many hours they saved, what those are worth, and whether that is more than they cost.',
    connect: 'Connect n8n',
    emptyHow: 'n8n can be connected through its API, or send its runs to a webhook.',
  },

  menu: {
    theme: 'Theme',
    themes: { system: 'System', light: 'Light', dark: 'Dark' },
    shortcuts: 'Keyboard shortcuts',
    signOut: 'Sign out',
  },

  version: {
    newer: 'There is a newer version of this page.',
    load: 'Load it',
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
      { keys: ['g', 'w'], does: 'Go to the analytics of the website' },
      { keys: ['g', 'a'], does: 'Go to automation' },
      { keys: ['g', 'd'], does: 'Go to the dashboards' },
      { keys: ['g', 'n'], does: 'Go to the insights' },
      { keys: ['g', 'g'], does: 'Go to the goals' },
      { keys: ['g', 'k'], does: 'Go to calculated KPIs' },
      { keys: ['g', 'h'], does: 'Go to the help' },
      { keys: ['g', 'i'], does: 'Go to the integrations' },
      { keys: ['g', 's'], does: 'Go to the settings' },
      { keys: ['/'], does: 'Find a number' },
      { keys: ['←', '→'], does: 'Walk the points of a chart' },
      { keys: ['?'], does: 'Show this list' },
      { keys: ['Esc'], does: 'Close' },
    ],
  },

  refresh: {
    title: 'Refresh',
    asking: 'Asking the sources…',
    error: (why: string) => `The refresh could not be started. ${why}`,
    lost: (why: string) => `The progress can no longer be followed. ${why}`,
    nothing: 'There is no source to refresh.',
    slow: 'This takes longer than two minutes. It goes on without you; the numbers appear when they are in.',
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
    dead: (why: string | null) => `stopped trying. ${why ?? 'It needs a look.'}`,
    close: 'Close',
  },
}

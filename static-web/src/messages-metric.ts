// What the page of one number says. Not part of the first load.
import { stop } from './messages'

const n = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

export const metric = {
  back: 'Overview',
  unknownTitle: 'There is no such number',
  unknown: (key: string) => `Nothing is called “${key}” here. It may have been deleted or renamed.`,
  emptyTitle: 'No data yet',
  empty: 'As soon as a source has brought its first days, they are drawn here.',
  toOverview: 'Go to the overview',

  sentence: {
    // "NPS" and "VAT paid" stay as they are written: only a word that goes on in small letters has a capital for its place.
    count: (value: string, name: string) => {
      const [first = '', second = ''] = name
      return second !== second.toUpperCase()
        ? `${value} ${first.toLowerCase()}${name.slice(first.length)}`
        : `${value} ${name}`
    },
    value: (name: string, value: string) => `${name}: ${value}`,
    alone: (lead: string) => `${lead}.`,
    withheld: (lead: string, why: string) => `${lead}. ${why}`,
    level: (lead: string, before: string) => `${lead}, level with ${before}.`,
    moved: (lead: string, by: string, word: string, before: string) =>
      `${lead}, ${by} ${word} than ${before}.`,
    alike: (lead: string, moved: string, days: number) =>
      `${lead}; ${moved} on the ${days} days that both periods have.`,
    same: 'level',
    points: (text: string) => `${text} percentage points`,
    more: 'more',
    fewer: 'fewer',
    higher: 'higher',
    lower: 'lower',
  },

  days: {
    title: 'Which days',
    from: 'From',
    to: 'To',
    zone: (zone: string) => `Time zone: ${zone.replaceAll('_', ' ')}.`,
    apply: 'Show these days',
    missing: 'Enter a day.',
    after: 'This is after the last day.',
    early: (day: string) => `Nothing is kept from before ${day}.`,
    future: 'This is in the future.',
    long: (days: number) => `That is more than ${days} days.`,
    months: { this: 'This month', last: 'Last month', year: 'This year' },
  },

  grainLabel: 'One point is',
  grain: { day: 'Day', week: 'Week', month: 'Month' },
  chart: 'Over time',
  goal: 'Goal',
  goalShare: { day: 'Goal, per day', week: 'Goal, per week', month: 'Goal, per month' },
  notesFailed: (why: string) => `Notes could not be loaded. ${why}`,

  note: {
    add: 'Add a note',
    title: 'Add a note',
    editTitle: 'Change the note',
    text: 'What happened',
    hint: 'It stands on every chart, for everyone of the business.',
    from: 'First day',
    to: 'Last day',
    save: 'Add the note',
    change: 'Save the note',
    saving: 'Saving…',
    edit: 'Change',
    editOf: (text: string) => `Change the note “${text}”`,
    remove: 'Delete',
    removeOf: (text: string) => `Delete the note “${text}”`,
    removeTitle: 'Delete this note?',
    removed: (text: string) => `“${text}” disappears from every chart.`,
    empty: 'Say what happened.',
    long: 'Use at most 280 characters.',
    fields: { text: 'The note', from: 'The first day', to: 'The last day' },
  },

  export: {
    button: 'Export',
    csv: 'Numbers as CSV',
    json: 'Numbers as JSON',
    png: 'Chart as a picture (PNG)',
    done: (name: string) => `${name} was saved.`,
    noPicture: 'There is no chart to save.',
    busy: 'Preparing…',
    footer: (tenant: string, at: string) => `${tenant} · ${at} · KPI Dashboard`,
  },

  insights: 'What stands out',

  goals: {
    title: 'Goal',
    none: 'No goal is set for this number.',
    set: 'Set a goal',
    all: 'All goals',
    rhythm: {
      week: 'a week',
      month: 'a month',
      quarter: 'a quarter',
      year: 'a year',
      dated: 'by its last day',
    },
    wanted: (target: string, rhythm: string) => `${target} ${rhythm}`,
    atMost: (target: string, rhythm: string) => `At most ${target} ${rhythm}`,
  },

  provenance: {
    title: 'Where does this number come from?',
    day: 'Day',
    hint: 'Choose a day in the chart, or press Enter on it.',
    failed: 'This could not be loaded.',
    formula: 'Formula',
    stored: 'As the source reported it.',
    settings: 'Settings it uses',
    notSet: 'not set',
    parts: 'Made of',
    aggregation: {
      sum: 'Over more days it is their sum.',
      daily_mean:
        'Over more days it is the mean of the days, because the same people may come again.',
      last: 'Over more days it is that of the last day.',
      ratio:
        'Over more days it is computed from the sums of its parts, never as a mean of the days.',
      max: 'Over more days it is the highest.',
      min: 'Over more days it is the lowest.',
    },
    source: 'Source',
    instance: 'Read from',
    zone: 'Time zone',
    broughtBy: 'Brought by',
    by: { sync: 'a sync', import: 'an import', push: 'the push API' },
    run: (id: string) => `run ${id.slice(0, 8)}`,
    fetched: 'Source last read',
    first: 'First read',
    changed: 'Last changed',
    flags: 'Flags',
    sampled: 'estimated from a sample',
    thresholded: 'rows of few people left out',
    noFlags: 'none',
    requests: (count: number) => n(count, 'request', 'requests'),
    rows: (count: number) => n(count, 'row', 'rows'),
    restated: 'How it changed afterwards',
    restatement: (at: string, was: string, is: string) => `${stop(at)} ${was} → ${is}`,
    withdrawn: 'withdrawn',
    noParts: 'No source has told anything about this day.',
  },
}

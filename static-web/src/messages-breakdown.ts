// What is said of how numbers divide, on the page of a number and on the analytics page. Not part of the first load.
import type { Dimension } from './api/types'
import { stop } from './messages'

const n = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

const dimensions: Record<Dimension, { title: string; tab: string; one: string; what: string }> = {
  channel: { title: 'By channel', tab: 'Channel', one: 'channel', what: 'where visits came from' },
  device: {
    title: 'By device',
    tab: 'Device',
    one: 'device',
    what: 'on which device visits were made',
  },
  country: {
    title: 'By country',
    tab: 'Country',
    one: 'country',
    what: 'from which country visits came',
  },
  landing_page: {
    title: 'By landing page',
    tab: 'Page',
    one: 'page',
    what: 'on which page visits began',
  },
}

export const breakdown = {
  title: 'What it is made of',
  by: 'Divide by',
  dimensions,
  /** Names of Google that say nothing to people. */
  names: {
    '(not set)': 'Not known',
    '(data not available)': 'Not told by Google',
    desktop: 'Desktop',
    mobile: 'Mobile',
    tablet: 'Tablet',
    'smart tv': 'Smart TV',
  } as Partial<Record<string, string>>,
  home: 'Home page (/)',
  rest: (members: number) => (members > 0 ? `Everything else (${members})` : 'Everything else'),
  hint: (one: string) => `Choose a ${one} to see it alone in the chart.`,
  only: (name: string) => `Only ${name}`,
  all: 'Show all',
  more: 'Show more',
  fewer: 'Show fewer',
  details: (kpi: string) => `All about ${kpi}`,
  bound: { '≥': 'at least', '≤': 'at most', '≈': 'about' },
  fresh: 'New',
  share: (percent: string, of: string | null) => (of ? `${percent} of ${of}` : percent),
  columns: { value: 'Value', previous: 'Before', change: 'Change', share: 'Share' },
  shareOf: {
    'web.sessions': 'visits',
    'shop.transactions': 'orders',
    'shop.revenue': 'revenue',
  } as Partial<Record<string, string>>,
  table: (kpi: string, title: string) => `${kpi}, ${title.toLowerCase()}`,
  unknownOnly: (what: string) => `Google does not tell ${what}.`,
  none: 'Nothing is known for this period.',
  failed: (why: string) => `This could not be loaded. ${why}`,

  since: (day: string) => `Known since ${stop(day)}`,
  begins: (day: string) =>
    `Known since ${day}: earlier days of the period are not in these numbers.`,
  beginsLater: (day: string) => `This is known since ${stop(day)} The period ends before that.`,
  missing: (days: number, of: number) =>
    `${n(days, 'day', 'days')} of ${of} could not be divided yet; these are the others.`,
  withheld: 'Google leaves out rows of few people. They are part of everything else.',
  partly:
    '≥ is at least, ≤ at most, ≈ about: on some days small values are not told apart from the rest.',
  kept: (perDay: number) => `Of each day the ${perDay} largest are kept.`,
  overlap:
    'These add up to more than the whole, because a visit can count twice. So there is no “everything else”.',

  driver: {
    mostly: (name: string, difference: string) => `mostly ${name}, ${difference}`,
    spread: (name: string, difference: string) =>
      `spread over several channels, ${name} most with ${difference}`,
    unknown: 'which channel is behind it cannot be told',
  },

  page: {
    numbers: 'numbers of a website',
    title: 'Analytics',
    emptyTitle: 'No website is connected',
    empty:
      'Once Google Analytics is, this page shows at a glance how many visits came, from where, on what, and how many of them became orders.',
    connect: 'Connect Google Analytics',
    noNumbers: 'No numbers of the website have been read yet',
    noNumbersText:
      'Google Analytics is connected. As soon as its first days are in, they stand here.',
    choose: 'Number to look at',
    chart: (name: string) => `${name} over time`,
    four: 'How it divides',
    hint: 'Choose a bar to see it alone in the chart.',
  },
}

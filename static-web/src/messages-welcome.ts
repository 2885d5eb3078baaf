// What the first minutes say: the welcome, an overview without numbers, the demonstration. Only pages that are loaded later import it.

import { number } from './lib/format'

export const welcome = {
  title: 'Welcome',
  heading: (business: string) => `Set up ${business}`,
  lead: 'Connect what the business already uses. Each step takes a minute, and each can be skipped and done later.',
  closed: 'Owners and admins connect the sources of a business.',
  progress: (at: number, of: number) => `Step ${at} of ${of}`,
  skip: 'Skip for now',
  resume: 'Do it now',
  skipped: 'Skipped',
  done: 'Connected',
  steps: 'Steps',
  toOverview: 'Go to the overview',
  later: 'None of this is urgent: you find it again under Integrations and Settings.',

  region: (zone: string, currency: string) =>
    `Days end at midnight in ${zone}, money is in ${currency}.`,
  elsewhere: (zone: string) => `This browser is in ${zone}.`,
  change: 'Change',
  save: 'Save',
  saving: 'Saving…',
  cancel: 'Cancel',

  google: {
    title: 'Google Analytics',
    about:
      'Visits, conversions and sales of your site or shop, 13 months back, so that this year can be compared with last. We only ever read.',
  },
  n8n: {
    title: 'n8n',
    about:
      'Which automations ran, which failed, and the hours they save. You need the address of your n8n and an API key.',
  },
  worth: {
    title: 'What an hour of work costs',
    about:
      'Then the hours that automations save are shown as money too. Wage and what comes on top of it, roughly.',
    label: (currency: string) => `Cost of an hour, in ${currency}`,
    missing: 'Enter an amount, or skip this.',
    wrong: 'Enter an amount such as 35 or 42.50.',
    submit: 'Save',
  },
  demo: {
    title: 'Look around with demo data',
    about: (name: string) =>
      `“${name}” is a demonstration. It is marked as demo data on every page, stands apart from your business, and you can remove it at any time.`,
    open: 'Open the demo',
    opening: 'Opening…',
    banner: (name: string) => `Demo data: “${name}” is a demonstration, not your business.`,
    bannerLabel: 'Demo data',
    back: (name: string) => `Back to ${name}`,
    remove: 'Remove the demo',
    removing: 'Removing…',
  },
} as const

export const empty = {
  none: {
    title: 'No numbers yet',
    text: 'As soon as the first source has been read, revenue, visits and automations appear here, with what changed since the period before.',
    action: 'Connect a source',
    import: 'Or import a CSV file',
    viewer: (role: string) =>
      `As soon as a source is connected, its numbers appear here. Your role is ${role.toLowerCase()}: ask an owner or admin of the business to connect one.`,
  },
  reading: {
    title: 'The first numbers are on their way',
    text: 'The newest days come first, and the overview opens by itself. You can close this page; the reading goes on.',
  },
  failed: {
    title: 'The first reading did not work',
    text: 'Until it does, no number is shown here rather than a wrong one.',
    viewer: 'An owner or admin of the business can mend it.',
  },
  nothing: {
    title: 'It was read, and has nothing yet',
    text: 'The sources were read and hold no numbers yet. They are read again as planned, and what comes appears here.',
  },
  paused: {
    title: 'No numbers yet, and nothing is being read',
    text: 'What is connected is paused.',
  },
  sources: 'First readings',
  waiting: 'Its first reading begins in a moment.',
  soFar: (days: number, day: string) =>
    `${number(days, {})} ${days === 1 ? 'day' : 'days'} read so far, back to ${day}`,
  read: (days: number, day: string) =>
    `${number(days, {})} ${days === 1 ? 'day' : 'days'} read, back to ${day}`,
  reconnect: 'Reconnect',
  again: 'Try again',
  trying: 'Trying again…',
  look: 'See the source',
  another: 'Connect another source',
} as const

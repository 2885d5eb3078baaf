// What the pages of sources, imports and own numbers say, in the manner of messages.ts; only pages that are loaded later import it.
import { number } from './lib/format'
import { stop } from './messages'

const n = (count: number, one: string, many: string) =>
  `${number(count, {})} ${count === 1 ? one : many}`

const span = (hours: number) =>
  hours < 48 || hours % 24 !== 0 ? n(hours, 'hour', 'hours') : n(hours / 24, 'day', 'days')

export const words = {
  title: 'Integrations',
  sections: 'Sections of the integrations',
  nav: { sources: 'Sources', history: 'History', import: 'CSV import', kpis: 'Own numbers' },
  readOnly: (role: string) =>
    `Owners and admins connect and change sources; your role is ${role.toLowerCase()}.`,
  deleting: 'The business is to be deleted: until someone keeps it, nothing can be changed.',

  sources: {
    lead: {
      fine: (count: number) =>
        count === 1 ? 'One source, read on time.' : `${count} sources, all read on time.`,
      trouble: (bad: number, count: number) =>
        count === 1
          ? 'Your source needs a look.'
          : `${bad} of ${count} sources ${bad === 1 ? 'needs' : 'need'} a look.`,
      waiting: (count: number) => n(count, 'source.', 'sources.'),
    },
    emptyTitle: 'Nothing is connected yet',
    empty:
      'Connect the tools your business already uses. The first reading takes a minute or two and goes back up to 13 months, so that this year can be compared with last.',
    list: 'Connected sources',
    more: 'What else can be connected',
    moreEmpty: 'What can be connected',
    viewerEmpty: 'As soon as an owner or admin connects a source, it appears here.',
    clocks: 'How fresh these numbers are',
  },

  clock: {
    fetched: {
      name: 'Fetched',
      why: 'When we last asked the source and got an answer.',
    },
    complete: {
      name: 'Complete through',
      why: 'The last day for which the source has everything. Later days are missing or partial, never counted as zero.',
    },
    final: {
      name: 'Final through',
      why: 'The last day that the source will not change any more. Later days are provisional: they are read again and may still move.',
    },
    never: 'Not yet',
    pushed: 'As it comes',
  },

  status: {
    ok: 'Read on time',
    behind: 'No new data',
    syncing: 'Being read now',
    late: 'Late',
    reconnect_needed: 'Needs to be reconnected',
    failing: 'Failing',
    paused: 'Paused',
    never_synced: 'Not read yet',
    push: 'Receiving',
  },
  state: {
    missing: (day: string) => `Numbers after ${day} are missing, not zero.`,
    missingAll: 'Its numbers are missing, not zero.',
    since: (time: string) => `Last read ${stop(time)}`,
    pausedSince: (day: string) =>
      `Nothing is read while it is paused. Numbers after ${day} are missing, not zero.`,
    late: (time: string) =>
      `It should have been read by now; the last reading was ${stop(time)} It is made up for by itself.`,
    behind: (day: string) =>
      `It is read on time, but has no data since ${stop(day)} Check that it still measures.`,
    neverSynced: 'It is connected; the first reading is still to come.',
    syncing: 'New numbers are on their way.',
    pushOnly: 'It sends its runs to us; nothing is asked of it.',
  },
  schedule: {
    daily: (hour: string) => `Every day at ${hour}`,
    hourly: 'Every hour',
    quarter_hourly: 'Every 15 minutes',
    push: 'Sends by itself',
    next: (time: string) => `next ${time}`,
    nextNow: 'next in a moment',
    back: (day: string) => `read back to ${day}`,
    measurable: (day: string) => `runs known since ${day}`,
  },

  action: {
    refresh: 'Refresh now',
    refreshing: 'Refreshing',
    test: 'Test',
    testing: 'Testing…',
    pause: 'Pause',
    resume: 'Resume',
    reconnect: 'Reconnect',
    details: 'Details',
    of: (what: string, source: string) => `${what} ${source}`,
    works: 'It works:',
    worksNot: 'It does not work:',
    paused: (source: string) => `${source} is paused.`,
    resumed: (source: string) => `${source} is read again, beginning now.`,
  },
  progress: {
    queued: 'Waiting for its turn',
    running: (window: string) => `Reading ${window}`,
    plain: 'Reading',
    waiting: (time: string | null) =>
      time ? `The source asked to wait; next try ${time}` : 'The source asked to wait',
    steps: (done: number, total: number) => `${done} of ${total} parts`,
    done: (changed: number) =>
      changed === 0
        ? 'Done, nothing changed.'
        : `Done, ${n(changed, 'number', 'numbers')} changed.`,
    failed: (why: string | null) => why ?? 'It failed and is tried again.',
    dead: (why: string | null) =>
      `${why ?? 'It failed.'} We stopped trying; the next reading makes up for it.`,
  },

  offer: {
    n8n: {
      name: 'n8n',
      about: 'Which automations ran, which failed, and the hours they save.',
      connect: 'Connect n8n',
      anotherName: 'Another n8n',
      anotherAbout: 'Its automations count beside those of what is connected, or by themselves.',
      another: 'Connect another n8n',
    },
    google: {
      name: 'Google Analytics',
      about: 'Visits, conversions and sales of your site or shop, 13 months back.',
      connect: 'Connect Google Analytics',
      anotherName: 'Another Google Analytics property',
      anotherAbout: 'A second site or shop: its numbers add up with the first, or stand alone.',
      another: 'Connect another property',
    },
    push: {
      name: 'Anything else',
      about: 'Numbers of your own, sent by a script or imported from a spreadsheet.',
      import: 'Import a CSV file',
      define: 'Define a number',
    },
  },

  connect: {
    title: 'Connect n8n',
    another: 'Connect another n8n',
    name: 'What to call it',
    nameHint:
      'Tells your sources apart, for example “Warehouse”. If you leave it empty, we call it by its address or property.',
    again: 'Reconnect n8n',
    lead: 'We try the connection before anything is kept, and only ever read.',
    address: 'Address of your n8n',
    addressHint: 'As in your browser, for example https://n8n.example.com',
    addressMissing: 'Enter the address of your n8n.',
    key: 'API key',
    keyHint:
      'In n8n under Settings, n8n API. It needs workflow:list, execution:list and execution:read; with insights:read we notice runs that n8n does not keep.',
    keyMissing: 'Enter the API key.',
    submit: 'Connect',
    submitAgain: 'Reconnect',
    busy: 'Trying the connection…',
    done: (source: string) => `${source} is connected. Its first reading has begun.`,
    doneAgain: (source: string) => `${source} is connected again. It is read now.`,
    fields: {
      'settings.baseUrl': 'the address',
      'credentials.apiKey': 'the API key',
      displayName: 'the name',
    } as Record<string, string>,
    acceptFewer: 'Go on with this key, and leave the other workflows out of the totals',
  },

  google: {
    going: 'Going to Google…',
    withKey: 'Use a service account',
    title: 'Choose a property',
    lead: (email: string | null) =>
      email
        ? `What ${email} may read in Google Analytics.`
        : 'What this account may read in Google Analytics.',
    loading: 'Asking Google…',
    none: 'This account may read no Google Analytics 4 property. Give it access in Google Analytics, or sign in with another account.',
    property: 'Property',
    find: 'Find a property',
    noneFound: 'No property fits.',
    choosePlease: 'Choose a property.',
    id: (id: string, account: string) => `${account} · ${id}`,
    submit: 'Connect',
    done: (source: string) => `${source} is connected. Its first reading has begun.`,
    reconnected: (source: string) => `${source} is connected again. It is read now.`,
    reconnectedPlain: 'It is connected again. It is read now.',
    keyTitle: 'Connect with a service account',
    keyAgain: 'Reconnect with a service account',
    keyLead:
      'For installations without a Google sign-in. In Google Cloud make a service account and a JSON key for it; in Google Analytics give its e-mail address the role Viewer.',
    key: 'Key file (JSON)',
    keyHint:
      'Choose the file, or paste what is in it. It is sealed before it is kept, and never shown again.',
    keyFile: 'Choose the key file',
    keyMissing: 'Choose the key file, or paste what is in it.',
    keySubmit: 'Go on',
    keyBusy: 'Asking Google…',
    account: (account: string) => `Signed in as ${account}`,
    property1: (name: string, id: string) => (name ? `Property ${name} (${id})` : `Property ${id}`),
    problem: {
      cancelled: 'The sign-in at Google was cancelled. Nothing was changed.',
      expired: 'The sign-in at Google took too long or was begun elsewhere. Begin again.',
      scopes:
        'Google was not allowed to let us read Analytics. Connect again, and leave that permission ticked.',
      google: 'Google did not answer as it should. Try again in a few minutes.',
      property:
        'That Google account may not read the property that is connected. Sign in with one that may.',
    } as Record<string, string>,
    problemOther: 'Google Analytics could not be connected. Try again.',
  },

  messages: {
    title: 'Messages of failed runs',
    lead: 'For a run that failed, n8n is asked for the one sentence that says why. Whatever looks like a secret in it is masked, and nothing else of the run’s data is kept. Switched off, what was read is forgotten.',
    read: 'Ask why runs failed',
    saved: 'Saved.',
  },

  detail: {
    missing: 'This source is not connected any more',
    missingText: 'It was disconnected, or the address is mistyped.',
    back: 'All sources',
    address: 'Address',
    schedule: 'Name and schedule',
    name: 'Name',
    nameMissing: 'Enter a name.',
    every: 'How often it is read',
    everyChoice: {
      daily: 'Every day',
      hourly: 'Every hour',
      quarter_hourly: 'Every 15 minutes',
    },
    hour: 'At',
    hourHint: (zone: string) => `In the time zone of the business, ${zone}.`,
    save: 'Save',
    saving: 'Saving…',
    saved: 'Saved.',
    runs: 'Latest readings',
    allRuns: 'All readings of this source',
    noRuns: 'It was not read yet.',
    disconnect: 'Disconnect',
    disconnectLead: 'Nothing is read any more and the stored sign-in or key is deleted at once.',
    disconnectTitle: (source: string) => `Disconnect ${source}?`,
    keep: 'Keep the numbers',
    keepLong: 'What was measured stays on the dashboard, up to today.',
    delete: 'Delete the numbers',
    deleteLong:
      'Everything measured by this source, its workflows and its history are deleted. This cannot be undone.',
    which: 'What becomes of its numbers',
    disconnectAndDelete: 'Disconnect and delete',
    alike: (others: string) => `The numbers of ${others} stay as they are.`,
    disconnecting: 'Disconnecting…',
    disconnected: (source: string) => `${source} is disconnected.`,
  },

  workflows: {
    title: 'Workflows',
    lead: 'The minutes that one successful run saves. From them come the hours saved and what they are worth. A change counts from today on.',
    past: 'For all days',
    pastOf: (workflow: string) => `Also count the past of ${workflow} with these minutes`,
    gone: 'Deleted in n8n',
    notShown: 'Not shown to our key any more',
    none: 'No workflow is known yet.',
    find: 'Find a workflow',
    noneFound: (find: string) => `No workflow is called “${find}”.`,
    minutes: 'Minutes saved per run',
    of: (workflow: string) => `Minutes saved per run of ${workflow}`,
    unit: 'min',
    off: 'Switched off',
    notKept: 'n8n throws its successes away, so they cannot be counted.',
    provider: (minutes: string) => `n8n says ${minutes}`,
    providerNone: 'n8n says nothing',
    wrong: 'Enter 0 to 10,000 minutes with at most two decimals, or nothing for what n8n says.',
    save: 'Save',
    saved: 'Saved',
    hint: 'Leave a field empty to use what n8n says.',
    all: (count: number) => `Show all ${count}`,
  },

  rhythm: {
    title: 'When it is late',
    lead: 'Nothing is asked of a source that sends by itself. It is late when it has sent nothing for longer than is usual.',
    label: 'Say so when nothing came for',
    learned: (hours: number | null) =>
      hours === null ? 'As its own runs tell' : `As its own runs tell (now ${span(hours)})`,
    fixed: (hours: number) => span(hours),
    never: 'Never: it may be silent for good',
    saved: 'Saved',
  },
  log: {
    title: 'What was sent',
    lead: 'Every report of the last 30 days, what became of it and why it was not taken. What stood in it is not kept.',
    show: 'Show',
    shows: { all: 'Everything', rejected: 'Only what was refused' },
    empty: 'Nothing was sent yet.',
    emptyRejected: 'Nothing was refused.',
    outcome: { accepted: 'Taken', unchanged: 'Known already', rejected: 'Refused' },
    state: {
      unfinished: 'started',
      succeeded: 'succeeded',
      failed: 'failed',
      canceled: 'was cancelled',
    } as Record<string, string>,
    run: (workflow: string, run: string | null, state: string | null) =>
      [workflow, run && `run ${run}`, state].filter(Boolean).join(' · '),
    request: 'A whole request',
    several: (events: number) => n(events, 'more report', 'more reports'),
    from: (token: string, address: string | null) =>
      address ? `with “${token}” from ${address}` : `with “${token}”`,
    more: 'Show older ones',
  },
  push: {
    title: 'Send runs from n8n as they happen',
    lead: 'Without waiting for the next reading, or where your n8n cannot be reached from the internet. One run counts once, sent or read or both.',
    open: 'Set it up',
    last: 'Last sent',
    lastNever: 'No token for n8n has been used yet.',
    lastUsed: (time: string, token: string) => `Last received ${time}, with the token “${token}”.`,
    lastNoToken: 'There is no token for n8n yet.',
    check: 'Check again',
    steps: {
      address: '1. The address',
      token: '2. A token',
      nodes: '3. The nodes',
      test: '4. See that it arrives',
    },
    places: {
      label: 'Where each step goes',
      list: [
        [
          'Started',
          'from your trigger, above everything else: n8n runs the uppermost branch first.',
        ],
        [
          'Finished',
          'from your trigger too, below everything else. There it runs when all the rest is done, even if your last step had nothing to hand on, and never when something failed.',
        ],
        [
          'On error, Failed',
          'in a workflow of their own. Publish it, and choose it as “Error workflow” in the settings of every workflow. One is enough for all.',
        ],
      ],
      order:
        'Your workflow’s setting “Execution order” must be v1, as it is in all workflows made since 2023.',
      answer:
        'If a webhook answers with what the last step gave, or another workflow uses it, wire “Finished” beside your last step and above it instead: what runs last is what is given back.',
      calm: 'A dashboard that does not answer stops none of your workflows. If a report was refused, “Failed” turns red in n8n, and the log below says why.',
    },
    from: 'May be used from',
    fromHint:
      'Addresses or networks, such as 203.0.113.7 or 203.0.113.0/24, one a line. Empty: from anywhere. n8n Cloud has no fixed address.',
    addressCopy: 'Copy the address',
    tokenText: 'It may only report runs of n8n, nothing else, and is shown once.',
    tokenMake: 'Make a token',
    tokenMaking: 'Making it…',
    tokenName: 'n8n webhook',
    tokenFresh: 'Keep it now: it is not shown again. It already stands in what you copy below.',
    tokenLabel: 'Token',
    secretLabel: 'Signing secret',
    tokenCopy: 'Copy the token',
    secretCopy: 'Copy the signing secret',
    tokenNot: 'An owner or admin makes it under Settings, API tokens.',
    tokenAll: 'All tokens',
    ways: {
      n8n: 'For n8n',
      curl: 'curl',
      signed: 'Signed',
      names: 'n8n’s own names',
    },
    waysLabel: 'How to send',
    about: {
      n8n: 'Copy, then paste onto the canvas of a workflow, and wire the steps as it says below.',
      curl: 'From any program: one event, or an array of them.',
      signed:
        'No token travels: the signature proves who sends. Fits libraries for Standard Webhooks. The timestamp may be 5 minutes off.',
      names: 'Events as n8n names their parts are understood, too, in any case.',
    },
    copy: 'Copy',
    snippet: 'What to copy',
    placeholder: 'YOUR_TOKEN',
  },

  history: {
    title: 'Sync history',
    lead: 'Every reading of every source, newest first, and what became of it.',
    source: 'Source',
    allSources: 'All sources',
    state: 'State',
    allStates: 'All states',
    empty: 'No reading yet. The first one appears here as soon as a source is connected.',
    emptyFiltered: 'No reading fits.',
    clear: 'Show all',
    more: 'Show older ones',
    loadingMore: 'Loading…',
    status: {
      queued: 'Waiting for its turn',
      running: 'Reading',
      waiting: 'Waiting for the source',
      succeeded: 'Done',
      failed: 'Failed',
      dead: 'Stopped trying',
    },
    filter: {
      running: 'Reading',
      waiting: 'Waiting',
      queued: 'Queued',
      succeeded: 'Done',
      failed: 'Failed',
      dead: 'Stopped trying',
    },
    trigger: {
      schedule: 'on schedule',
      manual: 'by hand',
      webhook: 'by a webhook',
      connect: 'after connecting',
    },
    began: {
      schedule: 'Its turn came, on schedule',
      manual: 'Someone asked for it',
      webhook: 'A webhook asked for it',
      connect: 'The source was connected',
    },
    changed: (changed: number, restated: number) =>
      changed === 0
        ? 'nothing changed'
        : `${n(changed, 'number', 'numbers')} changed${restated > 0 ? `, ${number(restated, {})} of ended days` : ''}`,
    story: {
      title: 'What happened',
      started: (wait: string) => `Begun after ${wait} in the queue`,
      startedAtOnce: 'Begun at once',
      window: (days: string, parts: number) =>
        `Read ${days}${parts > 1 ? `, in ${parts} parts` : ''}`,
      windowSoFar: (days: string, done: number, parts: number) =>
        `Reading ${days}${parts > 1 ? `, ${done} of ${parts} parts done` : ''}`,
      attempts: (failed: number) =>
        `${n(failed, 'attempt', 'attempts')} failed and ${failed === 1 ? 'was' : 'were'} made again`,
      retryAt: (time: string) => `Next try ${time}`,
      readings: (readings: number, changed: number) =>
        changed === 0
          ? `${n(readings, 'number', 'numbers')} read, all as before`
          : `${n(readings, 'number', 'numbers')} read, ${number(changed, {})} new or different`,
      restated: (restated: number) =>
        `${n(restated, 'number', 'numbers')} of ended days changed by the source`,
      done: (took: string) => `Done, ${took} after it began`,
      failed: 'Failed; the next reading makes up for it',
      dead: 'We stopped trying after several attempts; the next reading makes up for it',
    },
    requests: (count: number) => `What was asked (${count})`,
    request: {
      rows: (rows: number) => n(rows, 'row', 'rows'),
      sampled: 'estimated by the source',
      thresholded: 'small figures withheld by the source',
    },
    restatements: (count: number) => `Changed days (${count})`,
    gone: 'taken back',
    loading: 'Loading what happened…',
  },

  import: {
    title: 'CSV import',
    lead: 'Bring numbers of your own from a spreadsheet: a column with the date and one per number, or date, kpi and value. All or nothing: with one wrong line, nothing is written.',
    closed: 'Viewers read; members, admins and owners import.',
    needKpis: 'A file fills numbers that you have defined.',
    define: 'Define your numbers',
    unknown: (name: string) => `“${name}” is new here`,
    unknownLead: 'Say what it is, and the file is read again.',
    unknownMake: 'Define it',
    unknownMaking: 'Defining…',
    unknownText: (name: string) => `${name}, from a file.`,
    drop: 'Drop a CSV file here, or',
    choose: 'choose a file',
    chooseFile: 'Choose a CSV file',
    other: 'Choose another file',
    limit: 'Up to 100,000 rows and 10 MB.',
    tooLarge: 'The file is larger than 10 MB. Split it, and import the parts one after the other.',
    example: 'Download an example',
    reading: 'Looking at the file…',
    format: 'How the file is read',
    separator: 'Columns are separated by',
    delimiter: { comma: 'comma', semicolon: 'semicolon', tab: 'tab' },
    decimal: 'Decimal mark',
    decimals: { point: 'point (1.5)', comma: 'comma (1,5)' },
    dates: 'Dates',
    dateOrders: {
      iso: 'year first or with dots',
      dmy: 'day first (21/11/2026)',
      mdy: 'month first (11/21/2026)',
    },
    found: (what: string) => `${what}, as found`,
    encoding: (encoding: string, layout: 'long' | 'wide') =>
      `${encoding.toUpperCase()}, ${layout === 'wide' ? 'one column per number' : 'one number per line'}`,
    choosePlease: 'Please choose',
    questions: 'Before the file can be read',
    errors: (count: number) =>
      `${n(count, 'line is', 'lines are')} wrong, so nothing would be written`,
    errorsMore: (count: number) => `and ${number(count, {})} more`,
    line: (line: number) => `Line ${line}`,
    again: 'Correct the file and choose it again.',
    againOrDefine: 'Define what is new above, or correct the file and choose it again.',
    firstRows: 'The first values',
    columns: {
      line: 'Line',
      kpi: 'Number',
      date: 'Day',
      value: 'Value',
      effect: 'What becomes of it',
    },
    effect: {
      new: 'new',
      changed: (before: string) => `replaces ${before}`,
      unchanged: 'stands already',
    },
    commit: (count: number) => `Import ${n(count, 'value', 'values')}`,
    committing: 'Starting…',
    progress: (done: number, total: number | null) =>
      total === null
        ? 'Reading the file…'
        : `${number(done, {})} of ${number(total, {})} values written`,
    queued: 'Waiting for its turn…',
    done: (accepted: number, unchanged: number, restated: number) =>
      [
        accepted === 0 ? 'Nothing had to be changed' : `${n(accepted, 'value', 'values')} written`,
        unchanged > 0 ? `${number(unchanged, {})} stood already` : null,
        restated > 0 ? `${number(restated, {})} replaced` : null,
      ]
        .filter(Boolean)
        .join(', ') + '.',
    doneTitle: (file: string) => `${file} is imported`,
    failedTitle: (file: string) => `${file} was not imported`,
    failed: 'Nothing was written.',
    next: 'Import another file',
    see: 'See the numbers',
    past: 'Past imports',
    noPast: 'Nothing was imported yet.',
    rows: (rows: number) => n(rows, 'row', 'rows'),
    status: {
      queued: 'Waiting',
      running: 'Being written',
      succeeded: 'Imported',
      failed: 'Failed',
      preview: 'Preview',
    },
    lost: 'Nothing was kept of the file.',
  },

  kpis: {
    title: 'Own numbers',
    lead: 'Numbers that no connector reads: orders shipped, calls answered, stock. Define one here, then import or push its values; it appears on the overview with its first one.',
    closed: 'Owners and admins define numbers.',
    new: 'New number',
    newTitle: 'New number',
    editTitle: (name: string) => `Change “${name}”`,
    empty: 'No number of your own yet.',
    list: 'Your numbers',
    name: 'Name',
    nameMissing: 'Enter a name.',
    key: 'Key',
    keyHint: 'Values are sent and imported under it. It stays as it is.',
    keyWrong: 'Lower-case letters, digits and single underscores.',
    description: 'What it means',
    descriptionHint: 'Shown where the number is. May be left empty.',
    aggregation: 'Several days together',
    aggregations: {
      sum: 'are added up',
      daily_mean: 'are averaged per day',
      last: 'show the latest',
      max: 'show the highest',
      min: 'show the lowest',
      ratio: 'are recomputed',
    },
    create: 'Define it',
    creating: 'Defining…',
    save: 'Save',
    edit: 'Change',
    editOne: (name: string) => `Change ${name}`,
    delete: 'Delete',
    deleteOne: (name: string) => `Delete ${name}`,
    deleteTitle: (name: string) => `Delete “${name}”?`,
    deleteText: (days: string | null) =>
      days ? `Its values (${days}) go too. This cannot be undone.` : 'It has no values yet.',
    noValues: 'no values yet',
    values: (days: string) => `values ${days}`,
    made: (name: string) => `“${name}” is defined.`,
    changed: (name: string) => `“${name}” is changed.`,
    deleted: (name: string) => `“${name}” is deleted.`,
    fill: 'Now fill it: import a CSV file, or push values with an API token.',
    example: 'How to push values',
    exampleCopy: 'Copy the example',
  },
}

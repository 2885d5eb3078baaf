// What the list of sources says. Not part of the first load.
import { stop } from './messages'

export const sources = {
  title: 'Where the numbers come from',
  none: 'No source is connected yet.',
  clocks: { fetched: 'Fetched', complete: 'Complete through', final: 'Final through' },
  never: '–',
  explain: {
    ok: null,
    behind: (day: string) => `It is read on time, but has no data since ${stop(day)}`,
    syncing: 'New numbers are on their way.',
    late: 'The last scheduled reading did not happen; it will be made up for.',
    reconnect_needed: 'Its sign-in no longer works. Numbers after that are missing, not zero.',
    failing: 'Its last readings failed. Numbers after that are missing, not zero.',
    paused: 'Someone paused it. No new numbers arrive.',
    never_synced: 'The first reading is still to come.',
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
  },
}

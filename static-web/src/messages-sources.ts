// What the list of sources says. Not part of the first load.
export const sources = {
  title: 'Where the numbers come from',
  none: 'No source is connected yet.',
  clocks: { fetched: 'Fetched', complete: 'Complete through', final: 'Final through' },
  never: '–',

  status: {
    ok: 'Read on time',
    syncing: 'Being read now',
    late: 'Late',
    reconnect_needed: 'Needs to be reconnected',
    failing: 'Failing',
    paused: 'Paused',
    never_synced: 'Not read yet',
  },
}

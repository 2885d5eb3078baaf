/** Words of what is narrowed to sources. */
export const sources = {
  label: 'Numbers of',
  all: 'all sources',
  several: (count: number, known: boolean) =>
    count === 1 ? (known ? 'a source that is gone' : '1 source') : `${String(count)} sources`,
  of: (names: string) => `Numbers of ${names}`,
  noneOf: (names: string, what: string) => `${names}: no ${what}`,
  noneOfWhy: 'This page is narrowed to a source that does not have these numbers.',
  /** Where one source can be chosen for something that is kept. */
  pick: 'Numbers of',
  every: 'All sources',
  gone: 'A source that was removed',
}

/** Words of the filter by source. */
export const sources = {
  label: 'Numbers of',
  all: 'all sources',
  several: (count: number) => `${String(count)} sources`,
}

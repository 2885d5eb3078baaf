import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import type { Sources } from '../../api/types'
import type { Source } from '../../lib/sources'
import { readSnapshot, writeSnapshot } from '../../lib/storage'

/** What numbers of the business come from; undefined while that is not known. Kept for the next visit: a page that is narrowed says to what. */
export function useSources(tenantId: string, enabled = true): readonly Source[] | undefined {
  const name = `sources.${tenantId}`
  return useQuery({
    queryKey: ['sources', tenantId],
    enabled,
    // What is connected changes seldom, and a page without the filter is whole.
    staleTime: 60_000,
    queryFn: async ({ signal }) => {
      const data = await api.get<Sources>('sources', { signal, tenantId })
      writeSnapshot(name, data, Date.now())
      return data
    },
    initialData: () => readSnapshot<Sources>(name)?.data,
    // Shown at once and never taken for an answer, however young.
    initialDataUpdatedAt: 0,
  }).data?.sources
}

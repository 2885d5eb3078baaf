import { useQuery } from '@tanstack/react-query'
import { ApiError } from '../../api/client'
import type { Compare, Range, SharedDashboard } from '../../api/types'
import { forgetShared, readShared, savedShared } from '../../lib/shared'

/** The dashboard of a link; the last answer is kept for when the network is gone. */
export function useShared(secret: string | null, range: Range, compare: Compare) {
  return useQuery<SharedDashboard>({
    queryKey: ['shared', secret, range, compare],
    enabled: secret !== null,
    queryFn: async ({ signal }) => {
      try {
        return await readShared(secret ?? '', range, compare, signal)
      } catch (error) {
        // A link that ended shows nothing any more, its saved copy neither.
        if (error instanceof ApiError && error.status === 404 && secret) forgetShared(secret)
        throw error
      }
    },
    refetchOnMount: 'always',
    refetchInterval: 60_000,
    refetchIntervalInBackground: true,
    initialData: () => (secret ? savedShared(secret, range, compare)?.data : undefined),
    initialDataUpdatedAt: () => (secret ? savedShared(secret, range, compare)?.at : undefined),
    placeholderData: (previous, before) => (before?.queryKey[1] === secret ? previous : undefined),
  })
}

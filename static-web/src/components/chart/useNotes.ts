import { useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { Annotations } from '../../api/types'

/** What is noted about the days of a chart. */
export const useNotes = (tenantId: string, from: string, to: string, sources?: string | null) =>
  useQuery({
    queryKey: ['annotations', tenantId, from, to, sources ?? null],
    enabled: from !== '' && to !== '',
    queryFn: ({ signal }) =>
      api.get<Annotations>(`annotations${query({ from, to, sources: sources ?? undefined })}`, {
        signal,
        tenantId,
      }),
    select: (data) => data.annotations,
  })

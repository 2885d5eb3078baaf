import { useQuery } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { AutomationPerformance, Compare, Range } from '../../api/types'
import { readSnapshot, writeSnapshot } from '../../lib/storage'

/** Runs, hours, money and workflows of a period; the last answer is kept for the next visit. */
export function useAutomation(tenantId: string, range: Range, compare: Compare, enabled = true) {
  const name = `automation.${tenantId}.${range}.${compare}`
  return useQuery({
    queryKey: ['automation', tenantId, range, compare],
    enabled,
    queryFn: async ({ signal }) => {
      const data = await api.get<AutomationPerformance>(
        `automation/performance${query({ range, compare })}`,
        {
          signal,
          tenantId,
        },
      )
      writeSnapshot(name, data, Date.now())
      return data
    },
    // A saved copy, however young, is shown but never taken for an answer.
    refetchOnMount: 'always',
    initialData: () => readSnapshot<AutomationPerformance>(name)?.data,
    initialDataUpdatedAt: () => readSnapshot<AutomationPerformance>(name)?.at,
    placeholderData: (previous, before) =>
      before?.queryKey[1] === tenantId ? previous : undefined,
  })
}

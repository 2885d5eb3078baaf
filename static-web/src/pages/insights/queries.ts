import { useMutation, useQueryClient } from '@tanstack/react-query'
import { api, query } from '../../api/client'
import type { Compare, Insight, Insights } from '../../api/types'
import type { Span } from '../../lib/range'

export type Aside = { state: 'dismissed' } | { state: 'snoozed'; until: string } | { state: 'open' }

/** The answer as it will be once an insight is put aside, or shown again. */
export function moved(data: Insights, id: string, to: Aside): Insights {
  const all = [...data.insights, ...data.setAside]
  const one = all.find((insight) => insight.id === id)
  if (!one) return data
  const now: Insight = { ...one, state: to.state, until: to.state === 'snoozed' ? to.until : null }
  const rest = (list: Insight[]) => list.filter((insight) => insight.id !== id)
  return to.state === 'open'
    ? { ...data, insights: [...rest(data.insights), now], setAside: rest(data.setAside) }
    : {
        ...data,
        insights: rest(data.insights),
        setAside: [...rest(data.setAside), now],
        brief: data.brief.filter((sentence) => sentence.insightId !== id),
      }
}

/** Puts an insight aside or shows it again: at once on the page, and taken back if the API refuses. */
export function useAside(tenantId: string, span: Span, compare: Compare) {
  const client = useQueryClient()
  const queryKey = ['insights', tenantId, span, compare]
  return useMutation({
    // One after the other: an undo must not overtake what it undoes.
    scope: { id: 'aside' },
    mutationFn: async ({ insight, to }: { insight: Insight; to: Aside }) => {
      const asked = query({ ...span, compare })
      const path = `insights/${insight.id}`
      if (to.state === 'dismissed') await api.post(`${path}/dismiss${asked}`)
      else if (to.state === 'snoozed') await api.post(`${path}/snooze${asked}`, { until: to.until })
      else await api.delete(`${path}/${insight.state === 'snoozed' ? 'snooze' : 'dismiss'}`)
    },
    onMutate: async ({ insight, to }) => {
      await client.cancelQueries({ queryKey })
      const before = client.getQueryData<Insights>(queryKey)
      if (before) client.setQueryData(queryKey, moved(before, insight.id, to))
      return before
    },
    onError: (_, __, before) => {
      if (before) client.setQueryData(queryKey, before)
    },
    onSettled: () =>
      Promise.all(
        ['insights', 'summary'].map((name) =>
          client.invalidateQueries({ queryKey: [name, tenantId] }),
        ),
      ),
  })
}

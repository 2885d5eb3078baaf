// What the page makes of single runs; no words and no elements.
import type { AutomationWorkflow, Execution } from '../api/types'

/** A run under way that hangs, as far as one can tell. */
export const isStuck = (run: Execution, now: Date) =>
  (run.status === 'running' || run.status === 'waiting') &&
  run.stuckAfter !== null &&
  Date.parse(run.stuckAfter) < now.getTime()

export type FlowState = 'all' | 'failing' | 'working' | 'off'

export interface FlowFilter {
  text: string
  state: FlowState
  tag: string
  project: string
  hideIdle: boolean
  showGone: boolean
}

/** Letters as one types them: without case and accents. */
const plain = (text: string) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase()

/** Deleted at its source; told once the source lists all that it has. */
export const isGone = (flow: AutomationWorkflow & { gone?: boolean }) => flow.gone === true

const ran = (flow: AutomationWorkflow) => (flow.executions ?? 0) > 0 || (flow.failed ?? 0) > 0

/** The workflows that are asked for. Each word must stand in the name, a tag or the project. */
export function filterWorkflows(
  flows: readonly AutomationWorkflow[],
  { text, state, tag, project, hideIdle, showGone }: FlowFilter,
): AutomationWorkflow[] {
  const words = plain(text).split(/\s+/).filter(Boolean)
  return flows.filter((flow) => {
    const said = plain([flow.name, ...flow.tags, flow.project ?? ''].join('\n'))
    return (
      (showGone || !isGone(flow)) &&
      words.every((word) => said.includes(word)) &&
      (state === 'all' ||
        (state === 'failing' && (flow.failed ?? 0) > 0) ||
        (state === 'working' && flow.active && flow.failed === 0) ||
        (state === 'off' && !flow.active)) &&
      (tag === '' || flow.tags.includes(tag)) &&
      (project === '' || flow.projectId === project) &&
      // What only keeps its failures may have run all the same.
      (!hideIdle || ran(flow) || (flow.executions === null && flow.active))
    )
  })
}

/** Tags that workflows have, by the alphabet. */
export const tagsOf = (flows: readonly AutomationWorkflow[]) =>
  [...new Set(flows.flatMap((flow) => flow.tags))].sort((a, b) => a.localeCompare(b))

/** Projects that workflows belong to, with a name where one is known. */
export function projectsOf(flows: readonly AutomationWorkflow[]) {
  const names = new Map<string, string | null>()
  for (const flow of flows)
    if (flow.projectId !== null)
      names.set(flow.projectId, flow.project ?? names.get(flow.projectId) ?? null)
  return [...names].map(([id, name]) => ({ id, name }))
}

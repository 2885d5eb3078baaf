import { describe, expect, it } from 'vitest'
import type { AutomationWorkflow, Execution } from '../api/types'
import { filterWorkflows, isStuck, projectsOf, tagsOf, type FlowFilter } from './runs'

const flow = (name: string, more: Partial<AutomationWorkflow> = {}) =>
  ({
    id: name,
    name,
    active: true,
    executions: 3,
    failed: 0,
    tags: [],
    projectId: null,
    project: null,
    ...more,
  }) as unknown as AutomationWorkflow

const flows = [
  flow('Ördersync', { tags: ['Shop', 'b'], projectId: 'p1' }),
  flow('Mail to customers', { failed: 2, tags: ['b'], projectId: 'p1', project: 'Sales' }),
  flow('Old import', { active: false, executions: 0, projectId: 'p2' }),
  flow('Only failures are kept', { executions: null }),
]
const deleted = flow('Deleted', { gone: true })
const all: FlowFilter = {
  text: '',
  state: 'all',
  tag: '',
  project: '',
  hideIdle: false,
  showGone: false,
}
const names = (filter: Partial<FlowFilter>) =>
  filterWorkflows(flows, { ...all, ...filter }).map((one) => one.name)

describe('workflows are found', () => {
  it.each<[Partial<FlowFilter>, string[]]>([
    [{}, flows.map((one) => one.name)],
    [{ text: ' ORDER ' }, ['Ördersync']],
    [{ text: 'ördersync' }, ['Ördersync']],
    [{ text: 'customers mail' }, ['Mail to customers']],
    [{ text: 'shop' }, ['Ördersync']],
    [{ text: 'sales' }, ['Mail to customers']],
    [{ text: 'nothing' }, []],
    [{ state: 'failing' }, ['Mail to customers']],
    [{ state: 'working' }, ['Ördersync', 'Only failures are kept']],
    [{ state: 'off' }, ['Old import']],
    [{ tag: 'b' }, ['Ördersync', 'Mail to customers']],
    [{ project: 'p2' }, ['Old import']],
    [{ hideIdle: true }, ['Ördersync', 'Mail to customers', 'Only failures are kept']],
    [{ text: 'sync', tag: 'b', project: 'p1', state: 'working', hideIdle: true }, ['Ördersync']],
  ])('by %j', (filter, found) => {
    expect(names(filter)).toEqual(found)
  })

  it('that are gone only when asked for', () => {
    const shown = (showGone: boolean) =>
      filterWorkflows([...flows, deleted], { ...all, showGone }).length
    expect([shown(false), shown(true)]).toEqual([flows.length, flows.length + 1])
  })

  it('by what they have', () => {
    expect(tagsOf(flows)).toEqual(['b', 'Shop'])
    expect(projectsOf(flows)).toEqual([
      { id: 'p1', name: 'Sales' },
      { id: 'p2', name: null },
    ])
  })
})

describe('a run hangs', () => {
  const run = (status: Execution['status'], stuckAfter: string | null) =>
    ({ status, stuckAfter }) as unknown as Execution
  const now = new Date('2026-11-20T12:00:00Z')
  it.each([
    ['running', '2026-11-20T11:59:59Z', true],
    ['waiting', '2026-11-20T11:59:59Z', true],
    ['running', '2026-11-20T12:00:01Z', false],
    ['waiting', null, false],
    ['succeeded', '2026-11-20T11:00:00Z', false],
  ] as const)('%s after %s: %s', (status, after, stuck) => {
    expect(isStuck(run(status, after), now)).toBe(stuck)
  })
})

import { describe, expect, it } from 'vitest'
import { apiOf, n8nCurl, n8nNames, n8nNodes, n8nSigned, pushCurl } from './snippets'

const origin = 'https://kpi.example.com'
const now = new Date('2026-11-22T12:00:00Z')

describe('what is pasted into n8n', () => {
  const canvas = JSON.parse(n8nNodes(origin, 'kpi_secret')) as {
    nodes: {
      name: string
      onError?: string
      executeOnce?: boolean
      position: [number, number]
      parameters: Record<string, unknown>
    }[]
    connections: Record<string, { main: { node: string }[][] }>
  }
  const send = canvas.nodes.filter(({ parameters }) => 'url' in parameters)
  it('sends each event with the token to the one address', () => {
    expect(send.map(({ name }) => name)).toEqual(['Started', 'Finished', 'Failed'])
    for (const { parameters } of send) {
      expect(parameters.url).toBe('https://kpi.example.com/api/webhooks/n8n')
      // A proxy on the way may overwrite Authorization.
      expect(parameters.headerParameters).toEqual({
        parameters: [{ name: 'X-Kpi-Token', value: 'kpi_secret' }],
      })
    }
  })
  it('stops no workflow when the dashboard does not answer, and shows a refusal where nothing is to be stopped', () => {
    expect(send.map(({ name, onError }) => [name, onError])).toEqual([
      ['Started', 'continueRegularOutput'],
      ['Finished', 'continueRegularOutput'],
      ['Failed', undefined],
    ])
  })
  it('tells of a run once, however many items there are', () => {
    for (const { executeOnce } of send) expect(executeOnce).toBe(true)
  })
  it('stands in the order in which n8n runs it: the start above, the end below', () => {
    const y = (name: string) => send.find((node) => node.name === name)?.position[1] ?? NaN
    expect(y('Started')).toBeLessThan(y('Finished'))
  })
  it('evaluates, in n8n, to what the API takes', () => {
    const ask = (name: string, json: unknown, mode = 'production', trigger?: object) => {
      const body = send.find((node) => node.name === name)?.parameters.jsonBody as string
      const code = /^=\{\{ (.*) \}\}$/s.exec(body)?.[1] ?? ''
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      const run = new Function(
        ...['$workflow', '$execution', '$now', '$json', '$prevNode', '$'],
        `return ${code}`,
      ) as (...all: unknown[]) => string
      const at = { toISO: () => now.toISOString() }
      const step = (asked: string) => {
        if (asked !== 'Trigger' || !trigger) throw new Error('Referenced node does not exist')
        return { params: trigger }
      }
      return JSON.parse(
        run(
          { id: 'w1', name: 'Orders' },
          { id: '17', mode },
          at,
          json,
          trigger ? { name: 'Trigger' } : undefined,
          step,
        ),
      ) as { mode?: string }
    }
    const about = {
      workflowId: 'w1',
      workflowName: 'Orders',
      executionId: '17',
      mode: 'production',
    }
    expect(ask('Started', null)).toEqual({
      ...about,
      status: 'running',
      startedAt: now.toISOString(),
    })
    expect(ask('Finished', null)).toEqual({
      ...about,
      status: 'success',
      completedAt: now.toISOString(),
    })
    const failed = {
      workflow: { id: 'w1', name: 'Orders' },
      execution: {
        id: '17',
        mode: 'webhook',
        error: { message: 'Time-out' },
        lastNodeExecuted: 'Post order',
      },
    }
    expect(ask('Failed', failed)).toMatchObject({
      ...about,
      mode: 'webhook',
      status: 'error',
      errorMessage: 'Time-out',
      lastNodeExecuted: 'Post order',
    })
    // A trigger that cannot start has no run: what is sent is refused with a reason, and breaks nothing.
    expect(
      ask('Failed', { workflow: { id: 'w1' }, trigger: { error: { message: 'x' } } }),
    ).not.toHaveProperty('executionId')
    // How a run is called: by n8n, and by the trigger that it began with.
    expect(ask('Started', null, 'test').mode).toBe('test')
    expect(ask('Finished', null, 'test', { path: 'orders' }).mode).toBe('test')
    for (const trigger of [
      { inputSource: 'workflowInputs' },
      { inputSource: 'passthrough' },
      { inputSource: 'jsonExample' },
      { events: 'worklfow_call' },
    ])
      expect(ask('Finished', null, 'production', trigger).mode).toBe('integrated')
    for (const trigger of [{ events: ['push'] }, { inputSource: 'form' }, {}])
      expect(ask('Started', null, 'production', trigger).mode).toBe('production')
  })
  it('leads from the error trigger to what tells of it', () => {
    expect(canvas.connections['On error']?.main[0]?.[0]?.node).toBe('Failed')
  })
})

describe('what is run in a shell', () => {
  it('sends valid JSON of a moment ago', () => {
    for (const made of [n8nCurl(origin, 't', now), n8nNames(origin, 't', now)]) {
      const event = JSON.parse(/-d '(.*)'$/s.exec(made)?.[1] ?? '') as
        Record<string, string> | Record<string, string>[]
      const one = Array.isArray(event) ? event[0] : event
      expect(one?.startedAt ?? one?.startTime).toBe('2026-11-22T11:58:56Z')
    }
  })
  it('sends the token where no proxy overwrites it, to the API wherever it is', () => {
    const api = apiOf('https://api.example.com/', origin)
    for (const made of [
      n8nCurl(api, 'kpi_t', now),
      n8nNames(api, 'kpi_t', now),
      pushCurl(api, 'custom.x', '2026-11-20'),
    ]) {
      expect(made).toContain('https://api.example.com/api/')
      expect(made).toMatch(/-H 'X-Kpi-Token: (kpi_t|YOUR_TOKEN)'/)
      expect(made).not.toContain('Authorization')
    }
    expect(apiOf('', origin)).toBe(origin)
  })
  it('signs with the id of the token in the address, and sends no token', () => {
    const made = n8nSigned(origin, 'id-1', 'whsec_abc', now)
    expect(made).toContain('https://kpi.example.com/api/webhooks/n8n?token=id-1')
    expect(made).not.toContain('Authorization')
  })
})

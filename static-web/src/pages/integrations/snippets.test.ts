import { describe, expect, it } from 'vitest'
import { n8nCurl, n8nNames, n8nNodes, n8nSigned } from './snippets'

const origin = 'https://kpi.example.com'
const now = new Date('2026-11-22T12:00:00Z')

describe('what is pasted into n8n', () => {
  const canvas = JSON.parse(n8nNodes(origin, 'kpi_secret')) as {
    nodes: { name: string; onError?: string; parameters: Record<string, unknown> }[]
    connections: Record<string, { main: { node: string }[][] }>
  }
  const send = canvas.nodes.filter(({ parameters }) => 'url' in parameters)
  it('sends each event with the token to the one address', () => {
    expect(send.map(({ name }) => name)).toEqual(['Started', 'Finished', 'Failed'])
    for (const { parameters } of send) {
      expect(parameters.url).toBe('https://kpi.example.com/api/webhooks/n8n')
      expect(JSON.stringify(parameters)).toContain('Bearer kpi_secret')
    }
  })
  it('stops no workflow when the dashboard does not answer', () => {
    for (const { onError } of send) expect(onError).toBe('continueRegularOutput')
  })
  it('evaluates, in n8n, to what the API takes', () => {
    const ask = (name: string, json: unknown) => {
      const body = send.find((node) => node.name === name)?.parameters.jsonBody as string
      const code = /^=\{\{ (.*) \}\}$/s.exec(body)?.[1] ?? ''
      // eslint-disable-next-line @typescript-eslint/no-implied-eval
      const run = new Function('$workflow', '$execution', '$now', '$json', `return ${code}`) as (
        ...all: unknown[]
      ) => string
      const at = { toISO: () => now.toISOString() }
      return JSON.parse(run({ id: 'w1', name: 'Orders' }, { id: '17' }, at, json)) as object
    }
    const about = { workflowId: 'w1', workflowName: 'Orders', executionId: '17' }
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
      execution: { id: '17', error: { message: 'Time-out' } },
    }
    expect(ask('Failed', failed)).toMatchObject({
      ...about,
      status: 'error',
      errorMessage: 'Time-out',
    })
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
  it('signs with the id of the token in the address, and sends no token', () => {
    const made = n8nSigned(origin, 'id-1', 'whsec_abc', now)
    expect(made).toContain('https://kpi.example.com/api/webhooks/n8n?token=id-1')
    expect(made).not.toContain('Authorization')
  })
})

/** The address that takes executions. */
export const n8nAddress = (origin: string) => `${origin}/api/webhooks/n8n`

const node = (
  name: string,
  type: string,
  y: number,
  x: number,
  parameters: Record<string, unknown>,
  version: number,
) => ({
  name,
  type: `n8n-nodes-base.${type}`,
  typeVersion: version,
  position: [x, y],
  parameters,
})

/** Nodes to paste onto the canvas of n8n: what begins, what has ended, and what failed. A dashboard that does not answer stops no workflow. */
export function n8nNodes(origin: string, token: string): string {
  const send = (name: string, y: number, x: number, body: string) => ({
    ...node(
      name,
      'httpRequest',
      y,
      x,
      {
        method: 'POST',
        url: n8nAddress(origin),
        sendHeaders: true,
        headerParameters: { parameters: [{ name: 'Authorization', value: `Bearer ${token}` }] },
        sendBody: true,
        specifyBody: 'json',
        jsonBody: `={{ JSON.stringify(${body}) }}`,
        options: { timeout: 10_000 },
      },
      4.2,
    ),
    onError: 'continueRegularOutput',
  })
  const own = 'workflowId: $workflow.id, workflowName: $workflow.name, executionId: $execution.id'
  return JSON.stringify(
    {
      nodes: [
        send('Started', 0, 0, `{ ${own}, status: 'running', startedAt: $now.toISO() }`),
        send('Finished', 0, 220, `{ ${own}, status: 'success', completedAt: $now.toISO() }`),
        node('On error', 'errorTrigger', 220, 0, {}, 1),
        send(
          'Failed',
          220,
          220,
          `{ workflowId: $json.workflow.id, workflowName: $json.workflow.name, executionId: $json.execution.id, status: 'error', completedAt: $now.toISO(), errorMessage: $json.execution.error.message }`,
        ),
      ],
      connections: { 'On error': { main: [[{ node: 'Failed', type: 'main', index: 0 }]] } },
    },
    null,
    2,
  )
}

/** A moment ago, so that what is copied is accepted: executions of the last 60 days count. */
const times = (now: Date) => {
  const iso = (ms: number) => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z')
  return { start: iso(now.getTime() - 64_000), end: iso(now.getTime() - 60_000) }
}

export function n8nCurl(origin: string, token: string, now: Date): string {
  const { start, end } = times(now)
  return `curl -sS ${n8nAddress(origin)} \\
  -H "Authorization: Bearer ${token}" -H 'Content-Type: application/json' \\
  -d '{"workflowId":"w1","workflowName":"Orders","executionId":"17","status":"success","startedAt":"${start}","completedAt":"${end}"}'`
}

/** The other shape: parts as n8n calls them. */
export function n8nNames(origin: string, token: string, now: Date): string {
  const { start } = times(now)
  return `curl -sS ${n8nAddress(origin)} \\
  -H "Authorization: Bearer ${token}" -H 'Content-Type: application/json' \\
  -d '[{"eventType":"n8n.workflow.failed","workflowId":"w1","workflowName":"Orders","executionId":"18","startTime":"${start}","duration":4200,"error":{"message":"Time-out"}}]'`
}

/** Signed after Standard Webhooks, in a shell. */
export function n8nSigned(origin: string, tokenId: string, secret: string, now: Date): string {
  const { start, end } = times(now)
  return `SECRET='${secret}'
BODY='{"workflowId":"w1","workflowName":"Orders","executionId":"19","status":"success","startedAt":"${start}","completedAt":"${end}"}'
MSG=msg_$(date +%s) NOW=$(date +%s)
SIG=$(printf '%s' "$MSG.$NOW.$BODY" | openssl dgst -sha256 -mac HMAC \\
  -macopt hexkey:$(printf '%s' "\${SECRET#whsec_}" | base64 -d | xxd -p -c 99) -binary | base64)
curl -sS "${n8nAddress(origin)}?token=${tokenId}" -H 'Content-Type: application/json' \\
  -H "webhook-id: $MSG" -H "webhook-timestamp: $NOW" -H "webhook-signature: v1,$SIG" -d "$BODY"`
}

/** Readings of a number, pushed. */
export const pushCurl = (
  origin: string,
  key: string,
  day: string,
) => `curl -sS ${origin}/api/push \\
  -H "Authorization: Bearer YOUR_TOKEN" -H 'Content-Type: application/json' \\
  -d '{"readings":[{"kpi":"${key}","date":"${day}","value":17}]}'`

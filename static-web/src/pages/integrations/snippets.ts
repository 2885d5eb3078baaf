/**
 * Where machines reach the API: where the page asks it, which is not always where the page is.
 * Tokens travel as X-Kpi-Token everywhere: Static Web Apps overwrites Authorization on its way to a linked back end.
 */
export const apiOf = (base: string, origin: string) => base.replace(/\/+$/, '') || origin

/** The address that takes executions. */
export const n8nAddress = (api: string) => `${api}/api/webhooks/n8n`

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

/**
 * How a run is called by whoever looks at it from inside: n8n itself only says "test" or "production". That a workflow is called by another
 * one shows in its trigger, which is the step before where the node stands where it belongs.
 */
const mode =
  "(() => { try { const p = $($prevNode.name).params; return ['workflowInputs', 'jsonExample', 'passthrough'].includes(p.inputSource) || p.events === 'worklfow_call' ? 'integrated' : $execution.mode } catch (e) { return $execution.mode } })()"

/**
 * Nodes to paste onto the canvas of n8n: what begins, what has ended, and what failed. n8n runs the branches of a trigger one after the
 * other, the uppermost first: so the first stands above all others and the second below them, where it comes last, whether or not the last
 * step had anything to hand on. A dashboard that does not answer stops no workflow; only what tells of failures may fail itself, so that a
 * refusal is seen.
 */
export function n8nNodes(api: string, token: string): string {
  const send = (name: string, y: number, x: number, body: string, quiet: boolean) => ({
    ...node(
      name,
      'httpRequest',
      y,
      x,
      {
        method: 'POST',
        url: n8nAddress(api),
        sendHeaders: true,
        headerParameters: { parameters: [{ name: 'X-Kpi-Token', value: token }] },
        sendBody: true,
        specifyBody: 'json',
        jsonBody: `={{ JSON.stringify(${body}) }}`,
        options: { timeout: 10_000 },
      },
      4.2,
    ),
    // However many items a trigger brings: it is one run.
    executeOnce: true,
    ...(quiet ? { onError: 'continueRegularOutput' } : {}),
  })
  const own = `workflowId: $workflow.id, workflowName: $workflow.name, executionId: $execution.id, mode: ${mode}`
  const failed =
    "workflowId: $json.workflow.id, workflowName: $json.workflow.name, executionId: $json.execution?.id, mode: $json.execution?.mode, status: 'error', completedAt: $now.toISO(), errorMessage: $json.execution?.error?.message, lastNodeExecuted: $json.execution?.lastNodeExecuted"
  return JSON.stringify(
    {
      nodes: [
        send('Started', 0, 220, `{ ${own}, status: 'running', startedAt: $now.toISO() }`, true),
        send(
          'Finished',
          440,
          220,
          `{ ${own}, status: 'success', completedAt: $now.toISO() }`,
          true,
        ),
        node('On error', 'errorTrigger', 660, 0, {}, 1),
        send('Failed', 660, 220, `{ ${failed} }`, false),
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

export function n8nCurl(api: string, token: string, now: Date): string {
  const { start, end } = times(now)
  return `curl -sS ${n8nAddress(api)} \\
  -H 'X-Kpi-Token: ${token}' -H 'Content-Type: application/json' \\
  -d '{"workflowId":"w1","workflowName":"Orders","executionId":"17","status":"success","startedAt":"${start}","completedAt":"${end}"}'`
}

/** The other shape: parts as n8n calls them. */
export function n8nNames(api: string, token: string, now: Date): string {
  const { start } = times(now)
  return `curl -sS ${n8nAddress(api)} \\
  -H 'X-Kpi-Token: ${token}' -H 'Content-Type: application/json' \\
  -d '[{"eventType":"n8n.workflow.failed","workflowId":"w1","workflowName":"Orders","executionId":"18","startTime":"${start}","duration":4200,"error":{"message":"Time-out"}}]'`
}

/** Signed after Standard Webhooks, in a shell. */
export function n8nSigned(api: string, tokenId: string, secret: string, now: Date): string {
  const { start, end } = times(now)
  return `SECRET='${secret}'
BODY='{"workflowId":"w1","workflowName":"Orders","executionId":"19","status":"success","startedAt":"${start}","completedAt":"${end}"}'
MSG=msg_$(date +%s) NOW=$(date +%s)
SIG=$(printf '%s' "$MSG.$NOW.$BODY" | openssl dgst -sha256 -mac HMAC \\
  -macopt hexkey:$(printf '%s' "\${SECRET#whsec_}" | base64 -d | xxd -p -c 99) -binary | base64)
curl -sS "${n8nAddress(api)}?token=${tokenId}" -H 'Content-Type: application/json' \\
  -H "webhook-id: $MSG" -H "webhook-timestamp: $NOW" -H "webhook-signature: v1,$SIG" -d "$BODY"`
}

/** Readings of a number, pushed. */
export const pushCurl = (api: string, key: string, day: string) => `curl -sS ${api}/api/push \\
  -H 'X-Kpi-Token: YOUR_TOKEN' -H 'Content-Type: application/json' \\
  -d '{"readings":[{"kpi":"${key}","date":"${day}","value":17}]}'`

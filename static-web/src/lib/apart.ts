// What a tab does when the session that all tabs share is not where the page is. Loaded only then.
import { api, ApiError, refreshSession, tab, type Elsewhere } from '../api/client'
import type { Session } from '../api/types'
import { later } from '../messages-later'

/** What tabs tell each other. */
type Told =
  | { kind: 'session'; user: string; userName: string; tenant: string; tenantName: string }
  | { kind: 'signed-out' }

const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('kpi-session')
if (channel)
  channel.onmessage = ({ data }: MessageEvent<Told>) => {
    hear(data)
  }

/** This tab goes on with a session, and shows what it is in. */
export function adopted(session: Session | null) {
  if (session)
    channel?.postMessage({
      kind: 'session',
      user: session.user.id,
      userName: session.user.displayName,
      tenant: session.tenant.id,
      tenantName: session.tenant.name,
    } satisfies Told)
  for (const go of tab.waiting.splice(0)) go()
}

/** This tab ended the session. */
export function signedOut() {
  channel?.postMessage({ kind: 'signed-out' } satisfies Told)
}

/** Goes on with the session that there is, whosever it is and whatever business it is in. */
export async function showCurrent() {
  // From now on what comes is what the page shows; what waits for the business of before is told so then.
  if (tab.shown) tab.shown.sure = false
  tab.token = null
  await refreshSession()
}

/** Stays with the business that the page shows: the session comes back to it. */
export async function stay() {
  if (tab.shown) await api.switchTenant(tab.shown.tenant)
}

/** Leaves the business that the page shows; it goes on in another one. */
export async function leaveTenant() {
  await api.post('tenant/leave')
  await showCurrent()
}

function tell(what: Elsewhere | null) {
  if (tab.elsewhere === null && what === null) return
  tab.elsewhere = what
  tab.onElsewhere(what)
}

/** Nothing may be asked with the session that there is now. */
const shut = () => tab.elsewhere?.covers === true

/** Another tab did something to the session. */
function hear(told: Told) {
  const { shown } = tab
  if (!shown) return
  if (told.kind === 'signed-out') {
    tab.token = null
    tell({ kind: 'signed-out', covers: true })
  } else if (told.user !== shown.user) {
    tab.token = null
    tell({ kind: 'other-person', name: told.userName, covers: true })
  } else if (told.tenant !== shown.tenant) {
    // The token at hand is still one for what this page shows, for some minutes.
    tell({ kind: 'switched', name: told.tenantName })
  } else {
    // Back again. The token at hand may be of the session before, or of the other business.
    if (tab.elsewhere) tab.token = null
    tell(null)
    for (const go of tab.waiting.splice(0)) go()
  }
}

/** A session came that is not of what the page shows. */
export function part(session: Session) {
  const { shown } = tab
  if (!shown) return
  if (shown.user !== session.user.id) {
    tab.token = null
    tell({ kind: 'other-person', name: session.user.displayName, covers: true })
    return
  }
  tab.token = session.accessToken
  tab.tokenTenant = session.tenant.id
  tell({
    kind: session.tenants.some((one) => one.id === shown.tenant) ? 'switched' : 'removed',
    name: session.tenant.name,
  })
}

function refused() {
  const { elsewhere } = tab
  const text = later.tabs
  const said =
    elsewhere?.kind === 'signed-out'
      ? text.notSentSignedOut
      : elsewhere?.kind === 'other-person'
        ? text.notSentOther(elsewhere.name)
        : text.notSent(elsewhere?.name)
  return new ApiError(said, 409, {}, undefined, 'other-business')
}

/**
 * Lets a call through only when the session is in the business that the page showed when it was begun. What only reads waits until that is so again;
 * what changes something is refused with a sentence, and the form keeps what was typed.
 */
export async function here(page: string | undefined, reads: boolean, signal?: AbortSignal) {
  for (;;) {
    if (page !== undefined && tab.shown && tab.shown.tenant !== page) throw refused()
    if (!shut() && (tab.token === null || page === undefined || tab.tokenTenant === page)) return
    if (!reads || !tab.elsewhere) throw refused()
    await new Promise<void>((resolve, reject) => {
      tab.waiting.push(resolve)
      signal?.addEventListener('abort', () => {
        reject(signal.reason as Error)
      })
    })
  }
}

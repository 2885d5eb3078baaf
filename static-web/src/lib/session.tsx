import { useQueryClient } from '@tanstack/react-query'
import {
  createContext,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  type ReactNode,
} from 'react'
import { adopt, api, listenToSession, refreshSession, tab, type Elsewhere } from '../api/client'
import type { Session } from '../api/types'
import { forgetDrafts } from './drafts'
import { forgetSnapshots, readJson, writeJson } from './storage'

/** Who is signed in, and to which business. Holds no token: that stays inside the API client. */
export type Identity = Omit<Session, 'accessToken' | 'expiresIn'>

interface SessionState {
  /** Known at once from the last visit, confirmed or taken back by the server a moment later. */
  identity: Identity | null
  /** True while it is not yet known whether anyone is signed in. */
  restoring: boolean
  /** True when a session was lost rather than left. */
  ended: boolean
  /** What another tab did to the session, while this one shows what it showed. */
  elsewhere: Elsewhere | null
  switchTenant: (tenantId: string) => Promise<void>
  signOut: () => Promise<void>
}

const remembered = 'kpi.identity'
const Context = createContext<SessionState | null>(null)

const identityOf = ({ user, tenant, tenants }: Session): Identity => ({ user, tenant, tenants })

export function SessionProvider({ children }: { children: ReactNode }) {
  const [identity, setIdentity] = useState<Identity | null>(() => readJson<Identity>(remembered))
  const [restoring, setRestoring] = useState(true)
  const [ended, setEnded] = useState(false)
  const [elsewhere, setElsewhere] = useState<Elsewhere | null>(null)
  const client = useQueryClient()
  const person = useRef(identity?.user.id)

  useEffect(() => {
    listenToSession((session) => {
      const next = session && identityOf(session)
      setIdentity((was) => {
        if (was && !next) setEnded(true)
        return next
      })
      if (next) setEnded(false)
      writeJson(remembered, next)
      if (next && person.current && person.current !== next.user.id) forgetDrafts()
      // Nobody, or somebody else at this computer: nothing of the one before is kept.
      if (!next || (person.current && person.current !== next.user.id)) {
        forgetSnapshots()
        client.clear()
      }
      person.current = next?.user.id
    }, setElsewhere)
    const last = readJson<Identity>(remembered)
    if (last) tab.shown ??= { user: last.user.id, tenant: last.tenant.id, sure: false }
    // Offline or server away: the remembered identity stays, and the saved numbers are shown with their date.
    refreshSession()
      .catch(() => undefined)
      .finally(() => {
        setRestoring(false)
      })
    return () => {
      listenToSession(() => undefined)
    }
  }, [client])

  const switchTenant = useCallback(async (tenantId: string) => {
    await api.switchTenant(tenantId)
  }, [])
  const signOut = useCallback(async () => {
    await api.signOut()
    adopt(null)
    forgetDrafts()
    setEnded(false)
  }, [])

  const state = useMemo(
    () => ({ identity, restoring, ended, elsewhere, switchTenant, signOut }),
    [identity, restoring, ended, elsewhere, switchTenant, signOut],
  )
  return <Context value={state}>{children}</Context>
}

export function useSession(): SessionState {
  const state = useContext(Context)
  if (!state) throw new Error('useSession needs a SessionProvider above it.')
  return state
}

/** For pages behind the sign-in: there is an identity. */
export function useIdentity(): Identity {
  const { identity } = useSession()
  if (!identity) throw new Error('This page is shown only to someone signed in.')
  return identity
}

/** Whether the person only looks around in a demonstration, beside a business of its own. */
export const isGuest = (tenant: Identity['tenant'], tenants: Identity['tenants']) =>
  tenant.isDemo && tenant.role === 'viewer' && tenants.length > 1

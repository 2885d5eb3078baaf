import { useCallback, useEffect, useState } from 'react'
import { useLocation } from 'react-router'
import { ApiError } from '../api/client'

const key = (name: string) => `kpi.link.${name}`

/** The secret in the fragment of a mail's link. */
export function tokenOf(hash: string): string | null {
  return new URLSearchParams(hash.replace(/^#/, '')).get('token')
}

// A tab keeps what the link brought until it is used, so that a reload or the way through a sign-in loses nothing. Storage may be forbidden.
function stored(work: (storage: Storage) => string | null | undefined): string | null {
  try {
    return work(sessionStorage) ?? null
  } catch {
    return null
  }
}

/** The secret of the link that led here. It is taken out of the address bar, where it could be read or copied. */
export function useLinkToken(name: string) {
  const { hash } = useLocation()
  const [forgotten, setForgotten] = useState(false)
  const brought = tokenOf(hash)
  const token = brought ?? (forgotten ? null : stored((storage) => storage.getItem(key(name))))
  useEffect(() => {
    if (!brought) return
    stored((storage) => {
      storage.setItem(key(name), brought)
      return null
    })
    history.replaceState(history.state, '', location.pathname + location.search)
  }, [brought, name])
  const forget = useCallback(() => {
    setForgotten(true)
    stored((storage) => {
      storage.removeItem(key(name))
      return null
    })
  }, [name])
  return { token, forget }
}

/** A path of this page to go to after signing in; never another site. */
export function ownPath(path: unknown): string {
  return typeof path === 'string' && /^\/(?![/\\])/.test(path) ? path : '/'
}

/** Where someone wanted to go before signing in, as the address bar or the history has it. */
export function wanted(location: { state: unknown; search: string }): string {
  const from = (location.state as { from?: unknown } | null)?.from
  return ownPath(from ?? new URLSearchParams(location.search).get('returnTo'))
}

/** Whether a problem is the link's own: unknown, used, withdrawn or expired. Nothing that is entered can mend that. */
export function isOfLink(error: unknown): boolean {
  return (
    error instanceof ApiError &&
    (error.fields.token !== undefined || [404, 410].includes(error.status))
  )
}

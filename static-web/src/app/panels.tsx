import { CircleUser, LogOut, Plus } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'react-router'
import { useQuery } from '@tanstack/react-query'
import { api, ApiError } from '../api/client'
import type { Tenants } from '../api/types'
import { useCloseMenu } from '../components/Menu'
import { useAddress } from '../lib/range'
import { useIdentity, useSession } from '../lib/session'
import { messages } from '../messages'
import { later } from '../messages-later'
import { item } from './item'

/** The businesses of this person. */
export function TenantList() {
  const { tenant, tenants } = useIdentity()
  const { switchTenant } = useSession()
  const [, change] = useAddress()
  const close = useCloseMenu()
  const [busy, setBusy] = useState<string | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const [find, setFind] = useState('')
  // One request for as many as there are, and only when the list is opened; without its answer the list is what it was.
  const listed = useQuery({
    queryKey: ['tenants'],
    queryFn: ({ signal }) => api.get<Tenants>('tenants', { signal }),
    enabled: tenants.length > 1,
    staleTime: 60_000,
  })
  const states = new Map(listed.data?.tenants.map((one) => [one.id, one.health]))
  const wanted = find.trim().toLowerCase()
  const shown = tenants.filter((one) => one.name.toLowerCase().includes(wanted))
  return (
    <>
      {tenants.length > 8 && (
        <label className="block px-1 pb-1">
          <span className="sr-only">{later.shell.find}</span>
          <input
            type="search"
            placeholder={later.shell.find}
            value={find}
            className="tap w-full rounded border border-line-strong bg-surface px-3"
            onChange={(event) => {
              setFind(event.target.value)
            }}
          />
        </label>
      )}
      {shown.length === 0 && (
        <p role="status" className="px-3 py-2 text-small text-muted">
          {later.shell.noneFound(find.trim())}
        </p>
      )}
      <ul aria-label={messages.tenant.list} className="max-h-[60dvh] overflow-auto">
        {shown.map((one) => (
          <li key={one.id}>
            <button
              type="button"
              aria-current={one.id === tenant.id ? 'true' : undefined}
              disabled={busy !== null}
              className={`${item} justify-between ${one.id === tenant.id ? 'font-semibold' : ''}`}
              onClick={() => {
                if (one.id === tenant.id) {
                  close()
                  return
                }
                setBusy(one.id)
                setFailed(null)
                // Sources are those of this business.
                change({ sources: null })
                switchTenant(one.id)
                  .then(close, (error: unknown) => {
                    setFailed(
                      error instanceof ApiError ? error.message : messages.errors.unreachable,
                    )
                  })
                  .finally(() => {
                    setBusy(null)
                  })
              }}
            >
              <span className="flex min-w-0 items-center gap-2">
                <Dot health={states.get(one.id)} />
                <bdi className="min-w-0 truncate">{one.name}</bdi>
              </span>
              <span className="text-small font-normal text-muted">
                {busy === one.id ? messages.tenant.switching : messages.tenant.role[one.role]}
              </span>
            </button>
          </li>
        ))}
      </ul>
      {failed && (
        <p role="alert" className="px-3 py-2 text-small text-trouble">
          {failed}
        </p>
      )}
      <hr className="my-1 border-line" />
      {tenants.length > 1 && (
        <Link to="/businesses" onClick={close} className={`${item} text-muted hover:text-ink`}>
          {later.shell.all}
        </Link>
      )}
      <Link
        to="/businesses?new"
        onClick={close}
        className={`${item} justify-between text-muted hover:text-ink`}
      >
        {later.shell.create}
        <Plus aria-hidden="true" size={16} className="shrink-0" />
      </Link>
    </>
  )
}

const dots = { ok: 'bg-good', attention: 'bg-attention', trouble: 'bg-trouble', empty: 'bg-line' }

/** How a business does, at a glance and for those who hear it; nothing as long as that is not known. */
function Dot({ health }: { health: keyof typeof dots | undefined }) {
  return (
    <>
      <span
        aria-hidden="true"
        className={`size-2 shrink-0 rounded-full ${health ? dots[health] : 'bg-transparent'}`}
      />
      {health && health !== 'ok' && <span className="sr-only">{later.shell.health[health]}: </span>}
    </>
  )
}

/** Help, shortcuts, oneself and the way out. */
export function Account({ onHelp }: { onHelp: () => void }) {
  const { user } = useIdentity()
  const { signOut } = useSession()
  const close = useCloseMenu()
  return (
    <div className="text-small">
      <Link to="/help" onClick={close} className={`${item} text-muted hover:text-ink`}>
        {later.shell.help}
      </Link>
      <button
        type="button"
        className={`${item} justify-between text-muted hover:text-ink`}
        onClick={() => {
          close()
          onHelp()
        }}
      >
        {later.menu.shortcuts}
        <kbd className="rounded border border-line px-1.5 font-sans">?</kbd>
      </button>
      <Link
        to="/settings/profile"
        onClick={close}
        className={`${item} justify-between gap-2 text-muted hover:text-ink`}
      >
        <span className="min-w-0">
          <span className="sr-only">{later.shell.profile}. </span>
          <span className="block truncate">{user.displayName || user.email}</span>
        </span>
        <CircleUser aria-hidden="true" size={16} className="shrink-0" />
      </Link>
      <button
        type="button"
        className={`${item} justify-between gap-2 text-muted hover:text-ink`}
        onClick={() => void signOut()}
      >
        {later.menu.signOut}
        <LogOut aria-hidden="true" size={16} className="shrink-0" />
      </button>
    </div>
  )
}

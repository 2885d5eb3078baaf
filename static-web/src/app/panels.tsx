import { CircleUser, LogOut, Plus } from 'lucide-react'
import { useState } from 'react'
import { Link } from 'react-router'
import { ApiError } from '../api/client'
import { useCloseMenu } from '../components/Menu'
import { useIdentity, useSession } from '../lib/session'
import type { ThemeChoice } from '../lib/theme'
import { chooseTheme, useThemeChoice } from '../lib/themeChoice'
import { messages } from '../messages'
import { later } from '../messages-later'
import { item } from './item'

/** The businesses of this person. */
export function TenantList() {
  const { tenant, tenants } = useIdentity()
  const { switchTenant } = useSession()
  const close = useCloseMenu()
  const [busy, setBusy] = useState<string | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  return (
    <>
      <ul aria-label={messages.tenant.list} className="max-h-[70dvh] overflow-auto">
        {tenants.map((one) => (
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
              <span className="min-w-0 truncate">{one.name}</span>
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

/** Theme, shortcuts, oneself and the way out. */
export function Account({ onHelp }: { onHelp: () => void }) {
  const { user } = useIdentity()
  const { signOut } = useSession()
  const choice = useThemeChoice()
  const close = useCloseMenu()
  const themes: ThemeChoice[] = ['system', 'light', 'dark']
  return (
    <div className="text-small">
      <div
        role="group"
        aria-label={later.menu.theme}
        className="mx-1 mb-1 grid grid-cols-3 rounded bg-sunken"
      >
        {themes.map((theme) => (
          <button
            key={theme}
            type="button"
            aria-pressed={theme === choice}
            className={`tap rounded ${theme === choice ? 'border border-line bg-surface font-semibold' : 'text-muted hover:text-ink'}`}
            onClick={() => {
              chooseTheme(theme)
            }}
          >
            {later.menu.themes[theme]}
          </button>
        ))}
      </div>
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

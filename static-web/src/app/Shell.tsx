import {
  ChevronDown,
  LayoutGrid,
  LogOut,
  Menu as MenuIcon,
  RefreshCw,
  Workflow,
} from 'lucide-react'
import { lazy, Suspense, useEffect, useRef, useState } from 'react'
import { NavLink, Outlet, useLocation } from 'react-router'
import { ApiError } from '../api/client'
import { Mark } from '../components/Mark'
import { Menu, useCloseMenu } from '../components/Menu'
import { useIdentity, useSession } from '../lib/session'
import { chooseTheme, useThemeChoice, type ThemeChoice } from '../lib/theme'
import { messages } from '../messages'
import { useRefresh } from './refresh'
import { useShortcuts } from './shortcuts'

// What is heard or opened later: the panel of a refresh and the list of shortcuts.
const Extras = lazy(() => import('./Extras'))

const places = [
  { to: '/', name: messages.nav.overview, icon: LayoutGrid },
  { to: '/automation', name: messages.nav.automation, icon: Workflow },
]

const item = 'tap flex w-full items-center gap-3 rounded px-3 text-left hover:bg-sunken'

/** What stands around every page: where one is, for which business, and what can be done from anywhere. */
export function Shell() {
  const { tenant } = useIdentity()
  const [help, setHelp] = useState(false)
  const { state, start, dismiss, busy } = useRefresh(tenant.id)
  const main = useRef<HTMLElement>(null)
  const { pathname } = useLocation()
  const first = useRef(true)
  useShortcuts(() => {
    setHelp(true)
  })
  // A new page takes the focus, so that keyboard and screen reader start at its top.
  useEffect(() => {
    if (first.current) {
      first.current = false
      return
    }
    main.current?.focus({ preventScroll: true })
    scrollTo(0, 0)
  }, [pathname])

  const refreshButton = (className: string, withText: boolean) =>
    tenant.role === 'viewer' ? null : (
      <button
        type="button"
        className={className}
        aria-label={busy ? messages.refresh.busy : messages.refresh.button}
        disabled={busy}
        onClick={() => void start()}
      >
        <RefreshCw aria-hidden="true" size={18} className={busy ? 'turning' : ''} />
        {withText && <span>{busy ? messages.refresh.busy : messages.refresh.button}</span>}
      </button>
    )

  return (
    <div className="lg:grid lg:grid-cols-[13.5rem_minmax(0,1fr)]">
      <a
        href="#main"
        className="fixed top-2 left-2 z-50 -translate-y-20 rounded bg-ink px-4 py-2 text-page focus-visible:translate-y-0"
      >
        {messages.skip}
      </a>

      <header className="sticky top-0 z-20 flex h-14 items-center gap-1 border-b border-line bg-page pr-1 pl-1 lg:hidden">
        <div className="min-w-0 flex-1">
          <TenantMenu />
        </div>
        {refreshButton('tap grid place-items-center rounded text-muted', false)}
        <Menu
          label={messages.menu.open}
          align="right"
          buttonClass="tap grid place-items-center rounded text-muted"
          button={<MenuIcon aria-hidden="true" size={20} />}
        >
          <div className="w-64">
            <Navigation />
            <hr className="my-1 border-line" />
            <Account
              onHelp={() => {
                setHelp(true)
              }}
            />
          </div>
        </Menu>
      </header>

      <aside
        className="sticky top-0 hidden h-dvh flex-col border-r border-line px-3 py-4 lg:flex"
        aria-label={messages.product}
      >
        <p className="flex items-center gap-2.5 px-3 pb-4 text-small text-muted">
          <Mark className="size-5" />
          {messages.productShort}
        </p>
        <TenantMenu />
        <div className="mt-4">
          <Navigation />
        </div>
        <div className="mt-4">{refreshButton(`${item} text-muted hover:text-ink`, true)}</div>
        <div className="flex-1" />
        <Account
          onHelp={() => {
            setHelp(true)
          }}
        />
      </aside>

      <main id="main" ref={main} tabIndex={-1} className="min-w-0">
        <Suspense fallback={<div className="min-h-dvh" />}>
          {/* Another business is another page: nothing of the one before stays. */}
          <Outlet key={tenant.id} />
        </Suspense>
      </main>

      <Suspense fallback={null}>
        <Extras
          refresh={state}
          onRefreshClose={dismiss}
          timeZone={tenant.timeZone}
          help={help}
          onHelpClose={() => {
            setHelp(false)
          }}
        />
      </Suspense>
    </div>
  )
}

function Navigation() {
  const { search } = useLocation()
  const close = useCloseMenu()
  return (
    <nav aria-label={messages.nav.label}>
      {places.map(({ to, name, icon: Icon }) => (
        <NavLink
          key={to}
          // The period goes along.
          to={{ pathname: to, search }}
          end
          onClick={close}
          className={({ isActive }) =>
            `${item} ${isActive ? 'bg-sunken font-semibold' : 'text-muted hover:text-ink'}`
          }
        >
          <Icon aria-hidden="true" size={18} />
          {name}
        </NavLink>
      ))}
    </nav>
  )
}

function TenantMenu() {
  const { tenant, tenants } = useIdentity()
  const face = (
    <>
      <span className="min-w-0">
        <span className="block truncate font-semibold">{tenant.name}</span>
        {(tenant.isDemo || tenant.role === 'viewer') && (
          <span
            className="-mt-1 block truncate text-small text-muted"
            title={tenant.isDemo ? messages.tenant.demoLong : undefined}
          >
            {[
              tenant.isDemo ? messages.tenant.demo : null,
              tenant.role === 'viewer' ? messages.tenant.readOnly : null,
            ]
              .filter(Boolean)
              .join(' · ')}
          </span>
        )}
      </span>
      {tenants.length > 1 && (
        <>
          <span className="sr-only">. {messages.tenant.choose}</span>
          <ChevronDown aria-hidden="true" size={16} className="shrink-0 text-muted" />
        </>
      )}
    </>
  )
  if (tenants.length < 2) return <div className="flex items-center px-3 py-1">{face}</div>
  return (
    <Menu
      button={face}
      buttonClass="tap flex max-w-full items-center gap-1.5 rounded px-3 text-left hover:bg-sunken lg:w-full lg:justify-between"
    >
      <TenantList />
    </Menu>
  )
}

function TenantList() {
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
    </>
  )
}

function Account({ onHelp }: { onHelp: () => void }) {
  const { user } = useIdentity()
  const { signOut } = useSession()
  const choice = useThemeChoice()
  const close = useCloseMenu()
  const themes: ThemeChoice[] = ['system', 'light', 'dark']
  return (
    <div className="text-small">
      <div
        role="group"
        aria-label={messages.menu.theme}
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
            {messages.menu.themes[theme]}
          </button>
        ))}
      </div>
      <button
        type="button"
        className={`${item} justify-between text-muted hover:text-ink`}
        onClick={() => {
          close()
          onHelp()
        }}
      >
        {messages.menu.shortcuts}
        <kbd className="rounded border border-line px-1.5 font-sans">?</kbd>
      </button>
      <button
        type="button"
        className={`${item} justify-between gap-2 text-muted hover:text-ink`}
        onClick={() => void signOut()}
      >
        <span className="min-w-0">
          <span className="block">{messages.menu.signOut}</span>
          <span className="block truncate">{user.displayName || user.email}</span>
        </span>
        <LogOut aria-hidden="true" size={16} className="shrink-0" />
      </button>
    </div>
  )
}

import {
  ChartNoAxesColumn,
  ChevronDown,
  LayoutDashboard,
  LayoutGrid,
  Lightbulb,
  Menu as MenuIcon,
  Plug,
  RefreshCw,
  Settings2,
  Target,
  Workflow,
} from 'lucide-react'
import { lazy, Suspense, useEffect, useRef, useState, type ReactNode } from 'react'
import { Link, Outlet, useLocation } from 'react-router'
import { Mark } from '../components/Mark'
import { Menu, useCloseMenu } from '../components/Menu'
import { RefreshButton } from '../lib/refreshButton'
import { isGuest, useIdentity } from '../lib/session'
import { Skeleton } from '../components/Skeleton'
import { messages } from '../messages'
import { useRefresh } from './refresh'
import { item } from './item'
import { useShortcuts } from './shortcuts'
import { Crash } from './Crash'

// What is heard or opened later: asked for at once, but the first paint does not wait for it.
const Extras = lazy(() => import('./Extras'))
const Banners = lazy(() => import('./Banners'))
const panels = import('./panels')
const Account = lazy(() => panels.then((all) => ({ default: all.Account })))
const TenantList = lazy(() => panels.then((all) => ({ default: all.TenantList })))

const places = [
  { to: '/', name: messages.nav.overview, icon: LayoutGrid },
  { to: '/analytics', name: messages.nav.analytics, icon: ChartNoAxesColumn },
  { to: '/automation', name: messages.nav.automation, icon: Workflow },
  { to: '/insights', name: messages.nav.insights, icon: Lightbulb },
  { to: '/goals', name: messages.nav.goals, icon: Target },
  { to: '/dashboards', name: messages.nav.dashboards, icon: LayoutDashboard },
  { to: '/integrations', name: messages.nav.integrations, icon: Plug },
  { to: '/settings', name: messages.nav.settings, icon: Settings2 },
]

/** What stands around every page: where one is, for which business, and what can be done from anywhere. */
export function Shell() {
  const { tenant, tenants, user } = useIdentity()
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
    <div className="group/shell lg:grid lg:grid-cols-[13.5rem_minmax(0,1fr)]">
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
            <Later>
              <Account
                onHelp={() => {
                  setHelp(true)
                }}
              />
            </Later>
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
        {/* Where a page has a period, it stands beside that. */}
        <div className="mt-4 group-has-[[data-refresh]]/shell:hidden">
          {refreshButton(`${item} text-muted hover:text-ink`, true)}
        </div>
        <div className="flex-1" />
        <Later>
          <Account
            onHelp={() => {
              setHelp(true)
            }}
          />
        </Later>
      </aside>

      <main id="main" ref={main} tabIndex={-1} className="min-w-0">
        <Suspense
          fallback={
            <div className="min-h-dvh p-4 sm:p-8">
              <Skeleton className="h-24" />
            </div>
          }
        >
          {(!user.emailVerified ||
            tenant.secondFactorMissing ||
            tenant.deleteAfter ||
            isGuest(tenant, tenants)) && <Banners />}
          {/* Another business is another page: nothing of the one before stays. What fails on one page does not on the next. */}
          <Crash key={pathname}>
            <RefreshButton
              value={refreshButton(
                'flex h-11 items-center gap-1 text-accent hover:underline disabled:opacity-60',
                true,
              )}
            >
              <Outlet key={tenant.id} />
            </RefreshButton>
          </Crash>
        </Suspense>
      </main>

      <Crash small>
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
      </Crash>
    </div>
  )
}

/** A part of a menu that comes later; without a network it may not come at all. */
function Later({ children }: { children: ReactNode }) {
  return (
    <Crash small>
      <Suspense fallback={<div className="h-44" />}>{children}</Suspense>
    </Crash>
  )
}

function Navigation() {
  const { pathname, search } = useLocation()
  const close = useCloseMenu()
  return (
    <nav aria-label={messages.nav.label}>
      {places.map(({ to, name, icon: Icon }) => {
        const here = to === pathname || (to !== '/' && pathname.startsWith(to))
        return (
          <Link
            key={to}
            // The period goes along.
            to={{ pathname: to, search }}
            aria-current={here ? 'page' : undefined}
            onClick={close}
            className={`${item} ${here ? 'bg-sunken font-semibold' : 'text-muted hover:text-ink'}`}
          >
            <Icon aria-hidden="true" size={18} />
            {name}
          </Link>
        )
      })}
    </nav>
  )
}

function TenantMenu() {
  const { tenant } = useIdentity()
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
      <span className="sr-only">. {messages.tenant.choose}</span>
      <ChevronDown aria-hidden="true" size={16} className="shrink-0 text-muted" />
    </>
  )
  return (
    <Menu
      button={face}
      buttonClass="tap flex max-w-full items-center gap-1.5 rounded px-3 text-left hover:bg-sunken lg:w-full lg:justify-between"
    >
      <Later>
        <TenantList />
      </Later>
    </Menu>
  )
}

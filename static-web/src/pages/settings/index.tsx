import { ChevronRight, type LucideIcon } from 'lucide-react'
import { Building2, CircleUser, Database, KeyRound, ScrollText, Users } from 'lucide-react'
import { lazy, Suspense, useEffect, useSyncExternalStore } from 'react'
import { Link, Navigate, Route, Routes, useLocation } from 'react-router'
import { useMay } from '../../lib/may'
import { useIdentity } from '../../lib/session'
import { messages } from '../../messages'
import { settings } from '../../messages-settings'
import { Confirmations } from '../../components/confirmations'
import { Business } from './Business'
import { NotForYou, Rows } from '../../components/ui'

const Audit = lazy(() => import('./Audit'))
const Data = lazy(() => import('./Data'))
const Members = lazy(() => import('./Members'))
const Profile = lazy(() => import('./Profile'))
const Tokens = lazy(() => import('./Tokens'))

const wide = matchMedia('(width >= 64rem)')
const watchWidth = (listener: () => void) => {
  wide.addEventListener('change', listener)
  return () => {
    wide.removeEventListener('change', listener)
  }
}

interface Place {
  to: string
  name: string
  about: string
  icon: LucideIcon
}

function usePlaces(): Place[] {
  const tokens = useMay('manage_tokens')
  const audit = useMay('read_audit')
  const tenant = useMay('manage_tenant')
  const { business, profile, members, tokens: token, audit: log, data } = settings
  return [
    { to: '/settings/business', name: business.title, about: business.lead, icon: Building2 },
    { to: '/settings/profile', name: profile.nav, about: profile.lead, icon: CircleUser },
    { to: '/settings/members', name: members.title, about: members.lead, icon: Users },
    ...(tokens
      ? [{ to: '/settings/tokens', name: token.nav, about: token.lead, icon: KeyRound }]
      : []),
    ...(audit
      ? [{ to: '/settings/audit', name: log.title, about: log.lead, icon: ScrollText }]
      : []),
    ...(tenant ? [{ to: '/settings/data', name: data.nav, about: data.lead, icon: Database }] : []),
  ]
}

/** The settings: sections beside the page where there is room, else a list of them and then one at a time. */
export default function Settings() {
  const isWide = useSyncExternalStore(watchWidth, () => wide.matches)
  const { pathname } = useLocation()
  const at = pathname.replace(/\/+$/, '')
  const places = usePlaces()
  const tokens = useMay('manage_tokens')
  const audit = useMay('read_audit')
  const tenant = useMay('manage_tenant')
  return (
    <div className="mx-auto max-w-[78rem] px-4 pb-24 sm:px-8 lg:grid lg:grid-cols-[12rem_minmax(0,1fr)] lg:gap-12 lg:pt-8">
      {isWide && (
        <nav aria-label={settings.sections} className="sticky top-8 self-start">
          {places.map(({ to, name }) => (
            <Link
              key={to}
              to={to}
              aria-current={to === at ? 'page' : undefined}
              className={`tap flex items-center rounded px-3 text-small ${to === at ? 'bg-sunken font-semibold' : 'text-muted hover:bg-sunken hover:text-ink'}`}
            >
              {name}
            </Link>
          ))}
        </nav>
      )}
      <Confirmations>
        <Suspense
          fallback={
            <div className="mt-24">
              <Rows />
            </div>
          }
        >
          <Routes>
            {/* Leads on rather than stand in: the form must outlive a window that becomes narrow. */}
            <Route
              index
              element={
                isWide ? <Navigate to="/settings/business" replace /> : <Sections places={places} />
              }
            />
            <Route path="business" element={<Business />} />
            <Route path="profile" element={<Profile />} />
            <Route path="members" element={<Members />} />
            <Route
              path="tokens"
              element={
                tokens ? (
                  <Tokens />
                ) : (
                  <NotForYou title={settings.tokens.title} who={settings.tokens.closed} />
                )
              }
            />
            <Route
              path="audit"
              element={
                audit ? (
                  <Audit />
                ) : (
                  <NotForYou
                    title={settings.audit.title}
                    who={settings.audit.closed}
                    ask={settings.common.askOwner}
                  />
                )
              }
            />
            <Route
              path="data"
              element={
                tenant ? (
                  <Data />
                ) : (
                  <NotForYou
                    title={settings.data.title}
                    who={settings.data.closed}
                    ask={settings.common.askOwner}
                  />
                )
              }
            />
            <Route path="*" element={<Navigate to="/settings" replace />} />
          </Routes>
        </Suspense>
      </Confirmations>
    </div>
  )
}

function Sections({ places }: { places: Place[] }) {
  const { tenant } = useIdentity()
  useEffect(() => {
    document.title = `${tenant.name} · ${settings.title} · ${messages.productShort}`
  }, [tenant.name])
  return (
    <div className="pt-4">
      <h1 className="text-big font-semibold tracking-[-0.01em]">{settings.title}</h1>
      <nav aria-label={settings.sections} className="mt-3">
        {places.map(({ to, name, about, icon: Icon }) => (
          <Link
            key={to}
            to={to}
            className="flex items-center gap-4 border-t border-line py-3.5 hover:bg-sunken"
          >
            <Icon aria-hidden="true" size={20} className="shrink-0 text-muted" />
            <span className="min-w-0 flex-1">
              <span className="block font-semibold">{name}</span>
              <span className="block text-small text-muted">{about}</span>
            </span>
            <ChevronRight aria-hidden="true" size={16} className="shrink-0 text-muted" />
          </Link>
        ))}
      </nav>
    </div>
  )
}

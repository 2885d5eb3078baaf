import { lazy, Suspense } from 'react'
import { Link, Route, Routes, useLocation } from 'react-router'
import { Confirmations } from '../../components/confirmations'
import { NotForYou, Rows } from '../../components/ui'
import { useMay } from '../../lib/may'
import { words } from '../../messages-integrations'
import Sources from './Sources'

const Detail = lazy(() => import('./Detail'))
const History = lazy(() => import('./History'))
const Import = lazy(() => import('./Import'))
const Kpis = lazy(() => import('./Kpis'))

/** Where numbers come from: sources, what was read, files, and the numbers that a business defines itself. */
export default function Integrations() {
  const { pathname } = useLocation()
  const push = useMay('push')
  const define = useMay('manage_settings')
  const at = pathname.replace(/\/+$/, '')
  const places = [
    { to: '/integrations', name: words.nav.sources },
    { to: '/integrations/history', name: words.nav.history },
    ...(push ? [{ to: '/integrations/import', name: words.nav.import }] : []),
    ...(define ? [{ to: '/integrations/kpis', name: words.nav.kpis }] : []),
  ]
  const here = places.some(({ to }) => to === at) ? at : '/integrations'
  return (
    <div className="mx-auto max-w-[72rem] px-4 pb-24 sm:px-8">
      <nav
        aria-label={words.sections}
        className="-mx-4 mb-5 flex overflow-x-auto border-b border-line px-4 sm:mx-0 sm:gap-2 sm:px-0 lg:mb-7 lg:pt-4"
      >
        {places.map(({ to, name }) => (
          <Link
            key={to}
            to={to}
            aria-current={to === at ? 'page' : undefined}
            className={`tap -mb-px inline-flex shrink-0 items-center border-b-2 px-2 text-small sm:px-3 ${
              to === here
                ? 'border-accent font-semibold'
                : 'border-transparent text-muted hover:text-ink'
            }`}
          >
            {name}
          </Link>
        ))}
      </nav>
      <Confirmations>
        <Suspense fallback={<Rows />}>
          <Routes>
            <Route index element={<Sources />} />
            <Route path="history" element={<History />} />
            <Route
              path="import"
              element={
                push ? (
                  <Import />
                ) : (
                  <NotForYou title={words.import.title} who={words.import.closed} back={null} />
                )
              }
            />
            <Route
              path="kpis"
              element={
                define ? (
                  <Kpis />
                ) : (
                  <NotForYou title={words.kpis.title} who={words.kpis.closed} back={null} />
                )
              }
            />
            <Route path=":id" element={<Detail />} />
          </Routes>
        </Suspense>
      </Confirmations>
    </div>
  )
}

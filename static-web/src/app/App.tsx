import { lazy, Suspense } from 'react'
import { Navigate, Route, Routes, useLocation } from 'react-router'
import { useSession } from '../lib/session'
import { useSystemTheme } from '../lib/theme'
import Overview from '../pages/overview'
import { Shell } from './Shell'

const Automation = lazy(() => import('../pages/automation'))
const Businesses = lazy(() => import('../pages/businesses'))
const Calculated = lazy(() => import('../pages/calculated'))
const Goals = lazy(() => import('../pages/goals'))
const Help = lazy(() => import('../pages/help'))
const Insights = lazy(() => import('../pages/insights'))
const Metric = lazy(() => import('../pages/metric'))
const Integrations = lazy(() => import('../pages/integrations'))
const NotFound = lazy(() => import('../pages/not-found'))
const PublicPages = lazy(() => import('./PublicPages'))
const Settings = lazy(() => import('../pages/settings'))

const open =
  /^\/(sign-in|register|verify-email|forgot-password|reset-password|invitation|ops)(\/|$)/

export function App() {
  useSystemTheme()
  const { pathname } = useLocation()
  return (
    <Suspense fallback={null}>
      {open.test(pathname) ? (
        <PublicPages />
      ) : (
        <Routes>
          <Route element={<SignedIn />}>
            <Route index element={<Overview />} />
            <Route path="automation" element={<Automation />} />
            <Route path="metrics/:key" element={<Metric />} />
            <Route path="insights" element={<Insights />} />
            <Route path="goals" element={<Goals />} />
            <Route path="kpis/calculated/*" element={<Calculated />} />
            <Route path="help" element={<Help />} />
            <Route path="integrations/*" element={<Integrations />} />
            <Route path="settings/*" element={<Settings />} />
            <Route path="businesses" element={<Businesses />} />
            <Route path="*" element={<NotFound />} />
          </Route>
        </Routes>
      )}
    </Suspense>
  )
}

/** The pages behind the sign-in. While it is not known whether anyone is signed in, nothing is decided. */
function SignedIn() {
  const { identity, restoring } = useSession()
  const { pathname, search } = useLocation()
  // The business shows nothing before; one may go to another.
  if (identity?.tenant.secondFactorMissing && !/^\/(settings\/profile|businesses)$/.test(pathname))
    return <Navigate to="/settings/profile#second-factor" replace />
  if (identity) return <Shell />
  if (restoring) return null
  return <Navigate to="/sign-in" replace state={{ from: pathname + search }} />
}

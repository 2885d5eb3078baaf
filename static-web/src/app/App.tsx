import { lazy, Suspense } from 'react'
import { Navigate, Route, Routes, useLocation } from 'react-router'
import { useSession } from '../lib/session'
import { useSystemTheme } from '../lib/theme'
import Overview from '../pages/overview'
import { Shell } from './Shell'

const Automation = lazy(() => import('../pages/automation'))
const Businesses = lazy(() => import('../pages/businesses'))
const NotFound = lazy(() => import('../pages/not-found'))
const Settings = lazy(() => import('../pages/settings'))
const SignIn = lazy(() => import('../pages/sign-in'))

export function App() {
  useSystemTheme()
  return (
    <Suspense fallback={null}>
      <Routes>
        <Route path="/sign-in" element={<SignIn />} />
        <Route element={<SignedIn />}>
          <Route index element={<Overview />} />
          <Route path="automation" element={<Automation />} />
          <Route path="settings/*" element={<Settings />} />
          <Route path="businesses" element={<Businesses />} />
          <Route path="*" element={<NotFound />} />
        </Route>
      </Routes>
    </Suspense>
  )
}

/** The pages behind the sign-in. While it is not known whether anyone is signed in, nothing is decided. */
function SignedIn() {
  const { identity, restoring } = useSession()
  const { pathname, search } = useLocation()
  if (identity) return <Shell />
  if (restoring) return null
  return <Navigate to="/sign-in" replace state={{ from: pathname + search }} />
}

import { lazy, Suspense } from 'react'
import { Navigate, Route, Routes, useLocation } from 'react-router'
import { useSession } from '../lib/session'
import { useSystemTheme } from '../lib/theme'
import Overview from '../pages/overview'
import { Shell } from './Shell'

const TabNotice = lazy(() => import('./TabNotice'))
const Pages = lazy(() => import('./Pages'))
const PublicPages = lazy(() => import('./PublicPages'))

const open =
  /^\/(sign-in|register|verify-email|forgot-password|reset-password|invitation|ops|shared|tv)(\/|$)/

export function App() {
  useSystemTheme()
  const { pathname } = useLocation()
  const { elsewhere } = useSession()
  // Covered: nothing is seen, but what was typed is still there should the same person sign in again.
  return (
    <>
      {elsewhere && (
        <Suspense fallback={null}>
          <TabNotice />
        </Suspense>
      )}
      <div hidden={elsewhere?.covers}>
        <Suspense fallback={null}>
          {open.test(pathname) ? (
            <PublicPages />
          ) : (
            <Routes>
              <Route element={<SignedIn />}>
                <Route index element={<Overview />} />
                <Route path="*" element={<Pages />} />
              </Route>
            </Routes>
          )}
        </Suspense>
      </div>
    </>
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

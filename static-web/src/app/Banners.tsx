import { TriangleAlert } from 'lucide-react'
import { lazy, Suspense } from 'react'
import { Link, useLocation } from 'react-router'
import { dayIn } from '../lib/dates'
import { fullDay } from '../lib/dayNames'
import { isGuest, useIdentity } from '../lib/session'
import { later } from '../messages-later'

const VerifyBanner = lazy(() =>
  import('../components/VerifyBanner').then((all) => ({ default: all.VerifyBanner })),
)

const Guest = lazy(() => import('./Guest'))

const text = later.shell

/** What must be known on every page: the address is not confirmed, the numbers are a demonstration, a second factor is asked for, the business is to be deleted. */
export default function Banners() {
  const { tenant, tenants, user } = useIdentity()
  const { pathname } = useLocation()
  return (
    <>
      {!user.emailVerified && (
        <Suspense fallback={null}>
          <VerifyBanner />
        </Suspense>
      )}
      {isGuest(tenant, tenants) && (
        <Suspense fallback={null}>
          <Guest />
        </Suspense>
      )}
      {tenant.deleteAfter && (
        <div
          role="status"
          className="flex flex-wrap items-center gap-x-3 border-b border-line bg-sunken px-4 py-1 text-small sm:px-8"
        >
          <TriangleAlert aria-hidden="true" size={16} className="shrink-0 text-trouble" />
          <p className="min-w-0 flex-1 py-1.5">
            {text.deleting(
              tenant.name,
              fullDay(dayIn(tenant.timeZone, new Date(tenant.deleteAfter))),
            )}
          </p>
          {tenant.permissions.includes('manage_tenant') && pathname !== '/settings/data' && (
            <Link
              to="/settings/data"
              className="tap inline-flex items-center font-semibold text-accent-strong"
            >
              {text.keep}
            </Link>
          )}
        </div>
      )}
      {tenant.secondFactorMissing && pathname === '/settings/profile' && (
        <p
          role="status"
          className="flex items-center gap-3 border-b border-line bg-sunken px-4 py-2.5 text-small sm:px-8"
        >
          <TriangleAlert aria-hidden="true" size={16} className="shrink-0 text-attention" />
          {user.secondFactor ? text.gateCode(tenant.name) : text.gate(tenant.name)}
        </p>
      )}
    </>
  )
}

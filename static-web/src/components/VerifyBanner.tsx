import { useMutation } from '@tanstack/react-query'
import { useEffect } from 'react'
import { api, refreshSession } from '../api/client'
import { useIdentity } from '../lib/session'
import { account } from '../messages-account'
import { sentence } from './form/problems'

const text = account.verify

/** Above every page until the address is confirmed. */
export function VerifyBanner() {
  const { user } = useIdentity()
  const unverified = !user.emailVerified
  const resend = useMutation({
    mutationFn: () => api.post('auth/verify-email/resend'),
    // Confirmed elsewhere in the meantime, perhaps.
    onError: () => {
      refreshSession().catch(() => undefined)
    },
  })
  // The link opens in another tab; coming back, this one should know.
  useEffect(() => {
    if (!unverified) return
    const look = () => {
      if (document.visibilityState === 'visible') refreshSession().catch(() => undefined)
    }
    document.addEventListener('visibilitychange', look)
    return () => {
      document.removeEventListener('visibilitychange', look)
    }
  }, [unverified])
  if (!unverified) return null
  return (
    <aside
      aria-label={text.bannerLabel}
      className="border-b border-line bg-accent-soft px-4 py-1 text-small sm:px-8"
    >
      <p className="flex flex-wrap items-center gap-x-4 [overflow-wrap:anywhere]">
        <span className="py-1">{text.banner(user.email)}</span>
        {resend.isSuccess ? (
          <span role="status" className="tap flex items-center">
            {text.bannerSent}
          </span>
        ) : (
          <button
            type="button"
            disabled={resend.isPending}
            className="tap font-semibold text-accent-strong hover:underline"
            onClick={() => {
              resend.mutate()
            }}
          >
            {resend.isPending ? text.bannerSending : text.bannerAgain}
          </button>
        )}
        {resend.error && (
          <span role="alert" className="text-trouble">
            {sentence(resend.error)}
          </span>
        )}
      </p>
    </aside>
  )
}

import { useQuery } from '@tanstack/react-query'
import { api } from '../../api/client'
import type { Provider } from '../../api/types'
import { useSession } from '../../lib/session'
import { quietButton } from '../Notice'
import { account } from '../../messages-account'

/** Asked for once; without an answer there are simply no buttons. */
export function useProviders() {
  const { restoring } = useSession()
  return useQuery({
    queryKey: ['providers'],
    enabled: !restoring,
    queryFn: () => api.open<{ providers: Provider[] }>('GET', 'auth/providers'),
    staleTime: Infinity,
    select: (answer) => answer.providers,
  }).data
}

/** Where a provider's sign-in begins. A fragment stays here: it may hold the secret of a link. */
export function startAt(provider: string, returnTo: string) {
  const [path = '/'] = returnTo.split('#')
  return `/api/auth/oidc/${encodeURIComponent(provider)}/start?${new URLSearchParams({ returnTo: path }).toString()}`
}

/** Ways in besides a password. */
export function Providers({
  returnTo,
  label = account.signIn.provider,
}: {
  returnTo: string
  label?: (name: string) => string
}) {
  const providers = useProviders()
  if (!providers?.length) return null
  return (
    <div className="mt-5">
      <p aria-hidden="true" className="flex items-center gap-3 text-small text-muted">
        <span className="h-px flex-1 bg-line" />
        {account.signIn.or}
        <span className="h-px flex-1 bg-line" />
      </p>
      <ul className="mt-5 space-y-3">
        {providers.map(({ key, name }) => (
          <li key={key}>
            <a href={startAt(key, returnTo)} className={`${quietButton} h-12 w-full`}>
              {label(name)}
            </a>
          </li>
        ))}
      </ul>
    </div>
  )
}

// Stands in until the branch of the signed-out pages is merged; then: useMay from lib/session, withConfirmation from its dialog.
import { useIdentity } from '../../lib/session'

/** Whether the person may do this in the business at hand, for example `manage_members`. */
export function useMay(permission: string): boolean {
  const permissions: readonly string[] | undefined = useIdentity().tenant.permissions
  return permissions?.includes(permission) ?? false
}

/** Does something that the API may want a fresh proof of identity for; asks for it and tries again. */
export const withConfirmation = <T>(work: () => Promise<T>): Promise<T> => work()

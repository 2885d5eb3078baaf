import { useIdentity } from './session'

/** Whether the person may do this in the business at hand, for example `manage_members`. What may not be done is not offered; the API decides. */
export function useMay(permission: string): boolean {
  // An identity remembered by an older version of the page names no permissions.
  const permissions: readonly string[] | undefined = useIdentity().tenant.permissions
  return permissions?.includes(permission) ?? false
}

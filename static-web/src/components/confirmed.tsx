import { lazy, Suspense, useCallback, useState, type ReactNode } from 'react'
import { ApiError } from '../api/client'

const ConfirmIdentity = lazy(() => import('./ConfirmIdentity'))

const asksForProof = (error: unknown) =>
  error instanceof ApiError && error.kind === 'confirm-identity'

/**
 * Runs a call and, when the API wants to know once more who it is, asks and runs it again, once.
 * Whoever declines gets the API's own sentence as the error.
 */
export async function withConfirmation<T>(
  work: () => Promise<T>,
  ask: () => Promise<boolean>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!asksForProof(error) || !(await ask())) throw error
    return work()
  }
}

/** `confirmed(() => api.delete(…))` in place of the bare call; `dialog` is drawn anywhere in the component. */
export function useConfirmed(): {
  confirmed: <T>(work: () => Promise<T>) => Promise<T>
  dialog: ReactNode
} {
  const [asking, setAsking] = useState<((confirmed: boolean) => void) | null>(null)
  const confirmed = useCallback(
    <T,>(work: () => Promise<T>) =>
      withConfirmation(
        work,
        () =>
          new Promise<boolean>((resolve) => {
            setAsking(() => resolve)
          }),
      ),
    [],
  )
  const dialog = asking && (
    <Suspense fallback={null}>
      <ConfirmIdentity
        onEnd={(yes) => {
          setAsking(null)
          asking(yes)
        }}
      />
    </Suspense>
  )
  return { confirmed, dialog }
}

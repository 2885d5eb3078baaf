import { lazy, Suspense, useCallback, useState, type ReactNode } from 'react'
import { ApiError } from '../api/client'

const ConfirmIdentity = lazy(() => import('./ConfirmIdentity'))

const asksForProof = (error: unknown): error is ApiError =>
  error instanceof ApiError && error.kind === 'confirm-identity'

/**
 * Runs a call and, when the API wants to know once more who it is, asks and runs it again, once.
 * Whoever declines gets the API's own sentence as the error.
 */
export async function withConfirmation<T>(
  work: () => Promise<T>,
  /** By a code of the second factor, where the password would not do. */
  ask: (code: boolean) => Promise<boolean>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!asksForProof(error) || !(await ask('code' in error.fields))) throw error
    return work()
  }
}

/** `confirmed(() => api.delete(…))` in place of the bare call; `dialog` is drawn anywhere in the component. */
export function useConfirmed(): {
  confirmed: <T>(work: () => Promise<T>) => Promise<T>
  dialog: ReactNode
} {
  const [asking, setAsking] = useState<{
    code: boolean
    end: (confirmed: boolean) => void
  } | null>(null)
  const confirmed = useCallback(
    <T,>(work: () => Promise<T>) =>
      withConfirmation(
        work,
        (code) =>
          new Promise<boolean>((end) => {
            setAsking({ code, end })
          }),
      ),
    [],
  )
  const dialog = asking && (
    <Suspense fallback={null}>
      <ConfirmIdentity
        code={asking.code}
        onEnd={(yes) => {
          setAsking(null)
          asking.end(yes)
        }}
      />
    </Suspense>
  )
  return { confirmed, dialog }
}

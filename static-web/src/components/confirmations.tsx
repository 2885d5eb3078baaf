import { createContext, use, type ReactNode } from 'react'
import { useConfirmed } from './confirmed'

type Confirmed = <T>(work: () => Promise<T>) => Promise<T>

const Context = createContext<Confirmed>((work) => work())

/** Asks below it for a fresh proof of identity where the API wants one: one dialog for all parts of a page. */
export function Confirmations({ children }: { children: ReactNode }) {
  const { confirmed, dialog } = useConfirmed()
  return (
    <Context value={confirmed}>
      {children}
      {dialog}
    </Context>
  )
}

/** `confirmed(() => api.delete(…))` in place of the bare call. */
export const useConfirmation = () => use(Context)

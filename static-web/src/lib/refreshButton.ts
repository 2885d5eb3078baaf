import { createContext, type ReactNode } from 'react'

/** The button that asks every source for its newest numbers, for who shows a period beside which it stands; nothing where nobody may ask. */
export const RefreshButton = createContext<ReactNode>(null)

import { useSyncExternalStore } from 'react'
import { apply, listeners, readChoice, shown, themeKey, type ThemeChoice } from './theme'

export function chooseTheme(choice: ThemeChoice) {
  try {
    if (choice === 'system') localStorage.removeItem(themeKey)
    else localStorage.setItem(themeKey, choice)
  } catch {
    // Without storage the choice cannot be kept.
  }
  apply()
}

function subscribe(listener: () => void) {
  listeners.add(listener)
  return () => {
    listeners.delete(listener)
  }
}

export const useTheme = () => useSyncExternalStore(subscribe, shown)
export const useThemeChoice = () => useSyncExternalStore(subscribe, readChoice)

import { useEffect, useSyncExternalStore } from 'react'

export type ThemeChoice = 'system' | 'light' | 'dark'
type Theme = 'light' | 'dark'

const key = 'kpi.theme'
/** Who wants to know of another theme. */
export const listeners = new Set<() => void>()
const system = () => matchMedia('(prefers-color-scheme: dark)')

// The first value was set by start.js before the first paint; from then on it is kept here.
function readChoice(): ThemeChoice {
  try {
    const saved = localStorage.getItem(key)
    return saved === 'light' || saved === 'dark' ? saved : 'system'
  } catch {
    return 'system'
  }
}

const shown = (): Theme => (document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light')

function apply() {
  const choice = readChoice()
  const theme: Theme = choice === 'system' ? (system().matches ? 'dark' : 'light') : choice
  document.documentElement.dataset.theme = theme
  const page = getComputedStyle(document.documentElement).getPropertyValue('--page').trim()
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]'))
    meta.content = page
  for (const listener of listeners) listener()
}

export function chooseTheme(choice: ThemeChoice) {
  try {
    if (choice === 'system') localStorage.removeItem(key)
    else localStorage.setItem(key, choice)
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

/** Follows the system while the choice is "system". Used once, by the app. */
export function useSystemTheme() {
  useEffect(() => {
    const media = system()
    apply()
    media.addEventListener('change', apply)
    return () => {
      media.removeEventListener('change', apply)
    }
  }, [])
}

import { useEffect } from 'react'

export type ThemeChoice = 'system' | 'light' | 'dark'
type Theme = 'light' | 'dark'

export const themeKey = 'kpi.theme'
/** Who wants to know of another theme. */
export const listeners = new Set<() => void>()
const system = () => matchMedia('(prefers-color-scheme: dark)')

// The first value was set by start.js before the first paint; from then on it is kept here.
export function readChoice(): ThemeChoice {
  try {
    const saved = localStorage.getItem(themeKey)
    return saved === 'light' || saved === 'dark' ? saved : 'system'
  } catch {
    return 'system'
  }
}

export const shown = (): Theme =>
  document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light'

export function apply() {
  const choice = readChoice()
  const theme: Theme = choice === 'system' ? (system().matches ? 'dark' : 'light') : choice
  document.documentElement.dataset.theme = theme
  const page = getComputedStyle(document.documentElement).getPropertyValue('--page').trim()
  for (const meta of document.querySelectorAll<HTMLMetaElement>('meta[name="theme-color"]'))
    meta.content = page
  for (const listener of listeners) listener()
}

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

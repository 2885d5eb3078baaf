import { useEffect, useRef } from 'react'
import { useNavigate } from 'react-router'

const patience = 1200

const places: Partial<Record<string, string>> = {
  o: '/',
  a: '/automation',
  w: '/analytics',
  d: '/dashboards',
  n: '/insights',
  i: '/integrations',
  g: '/goals',
  k: '/kpis/calculated',
  h: '/help',
  s: '/settings',
}

/** The keys that work on every page. They keep quiet while someone types, and beside Ctrl, Alt and Meta. */
export function useShortcuts(onHelp: () => void) {
  const navigate = useNavigate()
  const help = useRef(onHelp)
  useEffect(() => {
    help.current = onHelp
  })
  // When g was pressed; the page's own clock begins at 0, which is not a moment ago. Kept over the listener, which another page replaces.
  const g = useRef(-patience)
  useEffect(() => {
    const go = (pathname: string) => void navigate({ pathname, search: location.search })
    const onKey = (event: KeyboardEvent) => {
      const at = event.target as HTMLElement
      if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return
      if (at.closest('input, textarea, select, dialog[open], [contenteditable="true"]')) return
      const place = event.timeStamp - g.current < patience && places[event.key]
      g.current = -patience
      if (place) go(place)
      else if (event.key === 'g') g.current = event.timeStamp
      else if (event.key === '?') help.current()
      else if (event.key === '/') {
        const search = document.querySelector<HTMLInputElement>('[data-shortcut="find"]')
        if (!search) return
        event.preventDefault()
        search.focus()
        search.scrollIntoView({ block: 'center' })
      }
    }
    addEventListener('keydown', onKey)
    return () => {
      removeEventListener('keydown', onKey)
    }
  }, [navigate])
}

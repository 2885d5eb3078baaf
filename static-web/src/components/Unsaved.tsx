import { useEffect, useRef } from 'react'
import { useLocation, useNavigate } from 'react-router'
import { guardSteps } from '../lib/back'
import { discard, unsaved } from '../lib/drafts'
import { later } from '../messages-later'
import { useQuestion } from './ui'

const text = later.unsaved

/** Where in the history of the tab a page is; the router counts it. */
const placeIn = (state: unknown) => (state as { idx?: number } | null)?.idx ?? 0

/** Asks before a link, the way back or the window takes away what a form on the page holds and is not saved. */
export function Unsaved() {
  const navigate = useNavigate()
  const shown = useLocation()
  const { ask, dialog } = useQuestion()
  const at = useRef(placeIn(history.state))
  /** Steps through the history that are ours. */
  const own = useRef(0)
  useEffect(() => {
    at.current = placeIn(history.state)
  }, [shown])
  useEffect(() => {
    const question = (go: () => unknown) => {
      ask({
        title: text.title,
        text: text.text,
        action: text.leave,
        cancel: text.stay,
        danger: true,
        run: async () => {
          discard()
          await go()
        },
      })
    }
    const unload = (event: BeforeUnloadEvent) => {
      if (unsaved()) event.preventDefault()
    }
    const click = (event: MouseEvent) => {
      if (!unsaved()) return
      const link = (event.target as Element).closest('a')
      if (!link || link.origin !== location.origin || link.target || link.download) return
      if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
      if (link.pathname === location.pathname) return
      event.preventDefault()
      event.stopPropagation()
      const to = link.pathname + link.search + link.hash
      question(() => navigate(to))
    }
    const back = (event: PopStateEvent) => {
      const next = placeIn(event.state)
      const steps = next - at.current
      if (own.current > 0) own.current--
      else if (unsaved() && steps !== 0) {
        // The address has changed already: it is put back before the router hears of it, and the step is made again when it is wanted.
        event.stopImmediatePropagation()
        own.current++
        history.go(-steps)
        question(() => {
          history.go(steps)
        })
        return
      }
      at.current = next
    }
    addEventListener('beforeunload', unload)
    const open = guardSteps(back)
    document.addEventListener('click', click, true)
    return () => {
      removeEventListener('beforeunload', unload)
      open()
      document.removeEventListener('click', click, true)
    }
  })
  return dialog
}

import { startTransition, useLayoutEffect, useState, type ReactNode } from 'react'
import {
  Router as Routing,
  UNSAFE_createBrowserHistory as createBrowserHistory,
} from 'react-router'

/**
 * React Router's own router for a browser, but for one thing: that a tap leads on is said at once, by the page that goes being dimmed. The next page is made in
 * slices between which Chromium paints nothing unless something has changed, so that the tap was answered only when all of it was there (176 ms on a phone, 40
 * with this).
 */
export function Router({ children }: { children: ReactNode }) {
  const [history] = useState(() => createBrowserHistory({ window, v5Compat: true }))
  const [{ location, action }, setState] = useState({
    location: history.location,
    action: history.action,
  })
  useLayoutEffect(
    () =>
      history.listen((next) => {
        document.documentElement.dataset.going = ''
        startTransition(() => {
          setState(next)
        })
      }),
    [history],
  )
  useLayoutEffect(() => {
    delete document.documentElement.dataset.going
  }, [location])
  return (
    <Routing location={location} navigationType={action} navigator={history}>
      {children}
    </Routing>
  )
}

import { useEffect, useRef } from 'react'

/** How long the first page gets for itself, in milliseconds. */
const settling = 3000

/**
 * Has the service worker keep the page itself (never a number) for when the network is gone. Called by parts that are loaded after the first paint.
 * While developing there is none.
 */
export function useServiceWorker() {
  useEffect(() => {
    if (!import.meta.env.PROD || !('serviceWorker' in navigator)) return
    // Installing fetches all of the page; what is looked at comes first.
    const timer = setTimeout(() => {
      navigator.serviceWorker.register('/sw.js', { updateViaCache: 'none' }).catch(() => undefined)
    }, settling)
    return () => {
      clearTimeout(timer)
    }
  }, [])
}

/**
 * Looks for a new version every hour, which takes charge as soon as it is whole, and says when one has: what is open goes on with the version before until it is loaded anew.
 */
export function useNewVersion(onNew: () => void) {
  const told = useRef(onNew)
  useEffect(() => {
    told.current = onNew
  })
  useEffect(() => {
    if (!('serviceWorker' in navigator)) return
    const { serviceWorker } = navigator
    // Of a first visit the worker takes charge without there being anything new.
    let known = serviceWorker.controller !== null
    const changed = () => {
      if (known) told.current()
      known = true
    }
    serviceWorker.addEventListener('controllerchange', changed)
    const hourly = setInterval(() => {
      void serviceWorker.getRegistration().then((registration) => registration?.update())
    }, 3_600_000)
    return () => {
      serviceWorker.removeEventListener('controllerchange', changed)
      clearInterval(hourly)
    }
  }, [])
}

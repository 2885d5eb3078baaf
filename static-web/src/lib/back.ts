// A step through the history of the tab is announced to listeners in the order in which they came, whether they capture or not: whoever
// asks before the router
// does has to be here before it. The router answers at once, and takes away what is registered later while it does.
type Guard = (event: PopStateEvent) => void

let guard: Guard | null = null

addEventListener('popstate', (event) => {
  guard?.(event)
})

/** Hears of every step before the router, which hears nothing of it when its event is stopped; until what is returned is called. */
export function guardSteps(next: Guard): () => void {
  guard = next
  return () => {
    if (guard === next) guard = null
  }
}

// What was typed and not saved yet. It is kept in the tab, for the person and the business, until it is saved or thrown away: a reload,
// an ended session and a
// way back lose nothing of it. Secrets are never among it.
const prefix = 'kpi.draft.'
/** Longer ones are not kept: a browser gives a page some 5 MB for everything. */
const longest = 200_000

export interface Place {
  user: { id: string }
  tenant: { id: string }
}

function attempt<T>(work: () => T): T | null {
  try {
    return work()
  } catch {
    // Storage may be full or forbidden. Then nothing is kept, and everything else works.
    return null
  }
}

const keyOf = ({ user, tenant }: Place, name: string) => `${prefix}${user.id}.${tenant.id}.${name}`

export function readDraft<T>(place: Place, name: string): T | null {
  return attempt(() => {
    const text = sessionStorage.getItem(keyOf(place, name))
    return text === null ? null : (JSON.parse(text) as T)
  })
}

/** Null forgets it. */
export function writeDraft(place: Place, name: string, value: unknown) {
  attempt(() => {
    const text = value === null ? null : JSON.stringify(value)
    if (text === null || text.length > longest) sessionStorage.removeItem(keyOf(place, name))
    else sessionStorage.setItem(keyOf(place, name), text)
  })
}

/** Whoever signs out, or is somebody else, leaves nothing behind. */
export function forgetDrafts() {
  attempt(() => {
    const keys = Array.from({ length: sessionStorage.length }, (_, i) => sessionStorage.key(i))
    for (const key of keys) if (key?.startsWith(prefix)) sessionStorage.removeItem(key)
  })
}

/** The forms on the page with something unsaved, and how each forgets it. */
const open = new Map<symbol, () => void>()

/** Says that a form holds something unsaved, until what is returned is called. */
export function announce(forget: () => void): () => void {
  const id = Symbol('draft')
  open.set(id, forget)
  return () => {
    open.delete(id)
  }
}

export const unsaved = () => open.size > 0

/** Throws away what all forms on the page hold. */
export function discard() {
  for (const forget of [...open.values()]) forget()
  open.clear()
}

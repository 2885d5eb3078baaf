import { useCallback, useEffect, useMemo, useRef, useState } from 'react'
import { announce, readDraft, writeDraft } from '../../lib/drafts'
import { useIdentity } from '../../lib/session'

/**
 * Asks before the page is left as long as something on it is not saved. For what cannot be kept: keys, codes, files.
 * @param forget Makes it nothing again, when somebody leaves all the same.
 */
export function useUnsaved(dirty: boolean, forget?: () => void) {
  const latest = useRef(forget)
  useEffect(() => {
    latest.current = forget
  })
  useEffect(() => {
    if (!dirty) return
    return announce(() => latest.current?.())
  }, [dirty])
}

interface Options {
  /** False: it is kept, and nobody is asked. For choices that are made again in a moment. */
  asks?: boolean
}

/**
 * What stands in a form without `useDraft`: a state that outlives a reload and an ended session until `done` says that it was saved, and
 * without which nobody
 * leaves unasked. Not for secrets: those `useUnsaved` alone looks after.
 */
export function useKept<T>(name: string, first: T, { asks = true }: Options = {}) {
  const { user, tenant } = useIdentity()
  const place = useMemo(
    () => ({ user: { id: user.id }, tenant: { id: tenant.id } }),
    [user.id, tenant.id],
  )
  const [changed, setChanged] = useState<{ value: T } | null>(() =>
    readDraft<{ value: T }>(place, name),
  )
  const set = useCallback(
    (value: T) => {
      setChanged({ value })
      writeDraft(place, name, { value })
    },
    [place, name],
  )
  const done = useCallback(() => {
    setChanged(null)
    writeDraft(place, name, null)
  }, [place, name])
  const value = changed === null ? first : changed.value
  useUnsaved(asks && JSON.stringify(value) !== JSON.stringify(first), done)
  return [value, set, done] as const
}

import { useCallback, useEffect, useMemo, useRef } from 'react'
import {
  useForm,
  useWatch,
  type FieldValues,
  type Path,
  type PathValue,
  type UseFormProps,
  type UseFormReturn,
} from 'react-hook-form'
import { announce, readDraft, writeDraft } from '../../lib/drafts'
import { useIdentity } from '../../lib/session'

interface DraftProps<T extends FieldValues> extends UseFormProps<T> {
  /** Fields that are never kept: keys and passwords. */
  secret?: readonly (keyof T)[]
}

/**
 * A form behind the sign-in. What is typed into it is kept until it is saved (see lib/drafts), and whoever leaves the page is asked
 * before. A form is saved when
 * its submit handler ends without having set an error.
 */
export function useDraft<T extends FieldValues>(
  name: string,
  { secret = [], ...props }: DraftProps<T>,
): UseFormReturn<T> {
  const { user, tenant } = useIdentity()
  const form = useForm<T>(props)
  const { control, setValue, reset } = form
  const { dirtyFields, isDirty, isSubmitting } = form.formState
  const values = useWatch({ control })
  const failed = useRef(false)
  const place = useMemo(
    () => ({ user: { id: user.id }, tenant: { id: tenant.id } }),
    [user.id, tenant.id],
  )
  const forget = useCallback(() => {
    writeDraft(place, name, null)
  }, [place, name])

  useEffect(() => {
    for (const [field, value] of Object.entries(readDraft<Partial<T>>(place, name) ?? {}))
      setValue(field as Path<T>, value as PathValue<T, Path<T>>, { shouldDirty: true })
  }, [place, name, setValue])

  const first = useRef(true)
  useEffect(() => {
    // What is kept is being put back in the first turn; nothing is known of it yet.
    if (first.current) {
      first.current = false
      return
    }
    const changed = Object.keys(dirtyFields).filter((field) => !secret.includes(field))
    writeDraft(
      place,
      name,
      changed.length === 0
        ? null
        : Object.fromEntries(changed.map((field) => [field, (values as T)[field] as unknown])),
    )
  })

  const dirty = isDirty && !isSubmitting
  useEffect(() => {
    if (!dirty) return
    return announce(() => {
      forget()
      reset()
    })
  }, [dirty, forget, reset])

  const setError = useCallback<UseFormReturn<T>['setError']>(
    (...what) => {
      failed.current = true
      form.setError(...what)
    },
    [form],
  )
  const handleSubmit = useCallback<UseFormReturn<T>['handleSubmit']>(
    (onValid, onInvalid) =>
      form.handleSubmit(async (...given) => {
        failed.current = false
        const result = await onValid(...given)
        // Not when the form is gone already, either: its last word would be the draft.
        if (!failed.current) forget()
        return result
      }, onInvalid),
    [form, forget],
  )
  return { ...form, setError, handleSubmit }
}

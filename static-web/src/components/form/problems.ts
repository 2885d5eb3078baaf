import type { FieldValues, Path, UseFormSetError } from 'react-hook-form'
import { ApiError } from '../../api/client'
import { account } from '../../messages-account'

/** What went wrong, as a sentence to show. */
export function sentence(error: unknown): string {
  if (!(error instanceof ApiError)) return account.failed
  return error.status === 429 && error.retryAfter ? account.wait(error.retryAfter) : error.message
}

/** What went wrong with a link of a mail. */
export function ofLink(error: unknown): string {
  return named(sentence(error), 'token', account.thisLink)
}

/** What the API said of a field, with the name that the field has on the page in place of its own. */
export function named(said: string, field: string, label: string): string {
  return said.replace(`'${field}'`, label)
}

/**
 * Puts what the API said where it belongs: sentences of a field at the field, the first of which takes the focus, anything else at the form.
 * @param labels What each field of the form is called on the page.
 */
export function place<T extends FieldValues>(
  error: unknown,
  setError: UseFormSetError<T>,
  labels: Partial<Record<Path<T>, string>>,
) {
  const fields = error instanceof ApiError ? error.fields : {}
  let first = true
  for (const field of Object.keys(labels) as Path<T>[]) {
    const said = fields[field]?.[0]
    if (!said) continue
    setError(field, { message: named(said, field, labels[field] ?? field) }, { shouldFocus: first })
    first = false
  }
  if (first) setError('root', { message: sentence(error) })
}

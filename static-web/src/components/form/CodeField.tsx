import type { ChangeEvent, ComponentProps } from 'react'
import { Field } from './Field'

/** What counts of a code: its digits, however they were pasted. */
export const digitsOf = (code: string) => code.replace(/\D/g, '').slice(0, 6)

/** Six digits of an authenticator app. */
export function CodeField({
  onFull,
  onChange,
  ...field
}: ComponentProps<typeof Field> & { onFull: () => void }) {
  return (
    <Field
      inputMode="numeric"
      autoComplete="one-time-code"
      // The one thing to do here.
      // eslint-disable-next-line jsx-a11y/no-autofocus
      autoFocus
      style={{ letterSpacing: '0.35em', fontVariantNumeric: 'tabular-nums' }}
      {...field}
      onChange={(event: ChangeEvent<HTMLInputElement>) => {
        const digits = digitsOf(event.target.value)
        event.target.value = digits
        onChange?.(event)
        if (digits.length === 6) onFull()
      }}
    />
  )
}

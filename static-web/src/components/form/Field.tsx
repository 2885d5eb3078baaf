import { Eye, EyeOff } from 'lucide-react'
import { useState, type InputHTMLAttributes, type ReactNode, type Ref } from 'react'
import { account } from '../../messages-account'

const frame =
  'h-12 w-full rounded border bg-surface px-3 text-body hover:border-ink focus-visible:outline-offset-0'

/** How an input looks. */
export const inputClass = (wrong: boolean) =>
  `${frame} ${wrong ? 'border-trouble' : 'border-line-strong'}`

interface Around {
  id: string
  label: string
  error?: string | undefined
  hint?: ReactNode
}

/** The attributes that tie an input to what is said of it. */
export const tied = ({ id, error, hint }: Pick<Around, 'id' | 'error' | 'hint'>) => ({
  id,
  'aria-invalid': error ? (true as const) : undefined,
  'aria-describedby':
    [error ? `${id}-error` : '', hint ? `${id}-hint` : ''].filter(Boolean).join(' ') || undefined,
})

/** A label, what is entered, and what is to be said of it. */
export function Labelled({
  id,
  label,
  error,
  hint,
  beside,
  children,
}: Around & { beside?: ReactNode; children: ReactNode }) {
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-small text-muted">
        {label}
      </label>
      {children}
      {(error || beside) && (
        <div className={`flex items-start justify-between gap-3 ${beside ? '-mb-2' : ''}`}>
          {error ? (
            <p id={`${id}-error`} className="mt-1 text-small text-trouble">
              {error}
            </p>
          ) : (
            <span />
          )}
          {beside}
        </div>
      )}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-small text-muted">
          {hint}
        </p>
      )}
    </div>
  )
}

type Input = Omit<InputHTMLAttributes<HTMLInputElement>, 'id'> & { ref?: Ref<HTMLInputElement> }

export function Field({ id, label, error, hint, ...input }: Around & Input) {
  return (
    <Labelled id={id} label={label} error={error} hint={hint}>
      <input
        {...tied({ id, error, hint })}
        className={inputClass(error !== undefined)}
        {...input}
      />
    </Labelled>
  )
}

export function EmailField(props: Around & Input) {
  return (
    <Field
      type="email"
      autoComplete="username"
      inputMode="email"
      autoCapitalize="none"
      spellCheck={false}
      {...props}
    />
  )
}

/** A password that can be looked at while it is typed. */
export function PasswordField({
  id,
  label,
  error,
  hint,
  beside,
  ...input
}: Around & Input & { beside?: ReactNode }) {
  const [visible, setVisible] = useState(false)
  return (
    <Labelled id={id} label={label} error={error} hint={hint} beside={beside}>
      <div className="relative">
        <input
          type={visible ? 'text' : 'password'}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          {...tied({ id, error, hint })}
          className={`${inputClass(error !== undefined)} pr-12`}
          {...input}
        />
        <button
          type="button"
          aria-label={visible ? account.hide : account.show}
          aria-pressed={visible}
          className="tap absolute top-0.5 right-0.5 grid place-items-center text-muted hover:text-ink"
          onClick={() => {
            setVisible(!visible)
          }}
        >
          {visible ? <EyeOff aria-hidden="true" size={18} /> : <Eye aria-hidden="true" size={18} />}
        </button>
      </div>
    </Labelled>
  )
}

/** Looks like an address: something before and after an @. What it must really be, the API says. */
export const emailRule = {
  required: account.emailMissing,
  pattern: { value: /^\s*\S+@\S+\s*$/, message: account.emailWrong },
}

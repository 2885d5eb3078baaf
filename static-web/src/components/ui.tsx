import { Check, ChevronDown, ChevronLeft, Copy } from 'lucide-react'
import {
  useEffect,
  useId,
  useRef,
  useState,
  type ComponentProps,
  type FormEvent,
  type ReactNode,
} from 'react'
import { Link } from 'react-router'
import { ApiError } from '../api/client'
import { Dialog } from './Dialog'
import { button, Notice, quietButton } from './Notice'
import { Skeleton } from './Skeleton'
import { useIdentity } from '../lib/session'
import { messages } from '../messages'
import { settings } from '../messages-settings'
import { useConfirmation } from './confirmations'

const text = settings.common

export const dangerButton = `${button} bg-trouble text-on-accent hover:opacity-90 disabled:opacity-60`
export const outlineDanger = `${button} border border-line bg-surface text-trouble hover:border-trouble disabled:opacity-60`
export const small = 'tap inline-flex items-center gap-2 rounded px-3 text-small font-semibold'
export const inputClass =
  'h-11 w-full rounded border bg-surface px-3 text-body hover:border-ink focus-visible:outline-offset-0 disabled:border-line disabled:bg-sunken disabled:text-muted disabled:hover:border-line'

/** What went wrong, as a sentence. */
export const sentenceOf = (error: unknown) =>
  error instanceof ApiError ? error.message : messages.errors.crash

/** What a page of the settings opens with. On a phone there is a way back to the list of sections; elsewhere `back` says where to. */
export function Page({
  title,
  lead,
  action,
  back,
  children,
}: {
  title: string
  lead?: ReactNode
  action?: ReactNode
  back?: { to: string; name: string } | null
  children: ReactNode
}) {
  const { tenant } = useIdentity()
  useEffect(() => {
    document.title = `${tenant.name} · ${title} · ${messages.productShort}`
  }, [tenant.name, title])
  return (
    <div className="min-w-0">
      {back !== null && (
        <Link
          to={back?.to ?? '/settings'}
          className={`tap -ml-2 inline-flex items-center gap-1 rounded pr-3 pl-1 text-small text-muted hover:text-ink ${back ? '' : 'lg:hidden'}`}
        >
          <ChevronLeft aria-hidden="true" size={16} />
          {back?.name ?? settings.title}
        </Link>
      )}
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 max-w-prose">
          <h1 className="text-big font-semibold tracking-[-0.01em]">{title}</h1>
          {lead && <p className="mt-1 text-muted">{lead}</p>}
        </div>
        {action}
      </div>
      {children}
    </div>
  )
}

/** A part of a page under a heading of its own. */
export function Section({
  title,
  lead,
  id,
  action,
  children,
}: {
  title: string
  lead?: ReactNode
  id?: string
  action?: ReactNode
  children: ReactNode
}) {
  const own = useId()
  const heading = id ?? own
  return (
    <section aria-labelledby={heading} className="mt-8 border-t border-line pt-6">
      <div className="flex flex-wrap items-start justify-between gap-x-6 gap-y-2">
        <div className="min-w-0 max-w-prose">
          <h2
            id={heading}
            tabIndex={-1}
            className="scroll-mt-20 text-lead font-semibold outline-none"
          >
            {title}
          </h2>
          {lead && <p className="mt-0.5 text-small text-muted">{lead}</p>}
        </div>
        {action}
      </div>
      <div className="mt-4">{children}</div>
    </section>
  )
}

/** A label, its control, a hint and what is wrong with it, tied together. */
export function Labelled({
  label,
  hint,
  error,
  children,
}: {
  label: string
  hint?: ReactNode
  error?: string | undefined
  children: (props: {
    id: string
    'aria-invalid': true | undefined
    'aria-describedby': string | undefined
    className: string
  }) => ReactNode
}) {
  const id = useId()
  const described = [hint && `${id}-hint`, error && `${id}-error`].filter(Boolean).join(' ')
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-small text-muted">
        {label}
      </label>
      {children({
        id,
        'aria-invalid': error ? true : undefined,
        'aria-describedby': described || undefined,
        className: `${inputClass} ${error ? 'border-trouble' : 'border-line-strong'}`,
      })}
      {hint && (
        <p id={`${id}-hint`} className="mt-1 text-small text-muted">
          {hint}
        </p>
      )}
      {error && (
        <p id={`${id}-error`} className="mt-1 text-small text-trouble">
          {error}
        </p>
      )}
    </div>
  )
}

/** What failed, where it failed. */
export function Failed({ error }: { error: unknown }) {
  if (!error) return null
  return (
    <p role="alert" className="mt-3 text-small text-trouble">
      {typeof error === 'string' ? error : sentenceOf(error)}
    </p>
  )
}

/** Says that something was saved. Always there, empty before: a place that comes along with its words is not read out. */
export function Saved({ children }: { children: ReactNode }) {
  return (
    <p role="status" className="text-small text-muted">
      {children}
    </p>
  )
}

/** A state in words; the dot only repeats it. */
export function State({
  tone,
  children,
}: {
  tone: 'good' | 'attention' | 'trouble' | 'plain'
  children: ReactNode
}) {
  const dots = {
    good: 'bg-good',
    attention: 'bg-attention',
    trouble: 'bg-trouble',
    plain: 'border border-line-strong',
  }
  return (
    <span className="inline-flex items-center gap-2 whitespace-nowrap">
      <span aria-hidden="true" className={`size-2 shrink-0 rounded-full ${dots[tone]}`} />
      {children}
    </span>
  )
}

/** Copies a text, and says so. */
export function CopyButton({ text: copied, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false)
  useEffect(() => {
    if (!done) return
    const timer = setTimeout(() => {
      setDone(false)
    }, 2000)
    return () => {
      clearTimeout(timer)
    }
  }, [done])
  return (
    <button
      type="button"
      aria-label={done ? text.copied : label}
      className={`${small} shrink-0 border border-line bg-surface hover:border-line-strong`}
      onClick={() => {
        navigator.clipboard.writeText(copied).then(
          () => {
            setDone(true)
          },
          () => undefined,
        )
      }}
    >
      {done ? (
        <Check aria-hidden="true" size={16} className="text-good" />
      ) : (
        <Copy aria-hidden="true" size={16} />
      )}
      <span aria-hidden="true">{done ? text.copied : text.copy}</span>
      <span role="status" className="sr-only">
        {done ? text.copied : ''}
      </span>
    </button>
  )
}

/** Hands a file to the browser. */
export function saveFile(content: Blob, name: string) {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => {
    URL.revokeObjectURL(url)
  }, 10_000)
}

export interface Question {
  title: string
  /** What will happen. */
  text: ReactNode
  /** What the button does. */
  action: string
  busy?: string
  /** What leaves everything as it is, where that is not to cancel. */
  cancel?: string
  /** Red: it takes something away. */
  danger?: boolean
  /** What must be typed first. */
  typed?: { label: string; value: string }
  run: () => Promise<unknown>
}

/** Asks before something that is not easily undone, in words that say what will happen. */
export function useQuestion() {
  const confirmed = useConfirmation()
  const [question, setQuestion] = useState<Question | null>(null)
  const [open, setOpen] = useState(false)
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const [typed, setTyped] = useState('')
  const close = () => {
    setOpen(false)
  }
  const ready = !question?.typed || typed.trim() === question.typed.value
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!question || !ready || busy) return
    setBusy(true)
    setFailed(null)
    try {
      await confirmed(question.run)
      close()
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  const dialog = (
    <Dialog title={question?.title ?? ''} open={open} onClose={close}>
      {question && (
        <form noValidate onSubmit={(event) => void submit(event)}>
          <div className="space-y-2 text-muted">{question.text}</div>
          {question.typed && (
            <div className="mt-4">
              <Labelled label={question.typed.label}>
                {(props) => (
                  <input
                    {...props}
                    autoComplete="off"
                    autoCapitalize="none"
                    spellCheck={false}
                    value={typed}
                    onChange={(event) => {
                      setTyped(event.target.value)
                    }}
                  />
                )}
              </Labelled>
            </div>
          )}
          <Failed error={failed} />
          <div className="mt-6 flex flex-wrap justify-end gap-3">
            <button type="button" className={quietButton} onClick={close}>
              {question.cancel ?? text.cancel}
            </button>
            <button
              type="submit"
              disabled={!ready || busy}
              className={
                question.danger
                  ? dangerButton
                  : `${button} bg-accent text-on-accent hover:bg-accent-strong disabled:opacity-60`
              }
            >
              {busy ? (question.busy ?? text.busy) : question.action}
            </button>
          </div>
        </form>
      )}
    </Dialog>
  )
  const ask = (next: Question) => {
    setQuestion(next)
    setFailed(null)
    setTyped('')
    setOpen(true)
  }
  return { ask, dialog }
}

/** The button below a list of which there is more. */
export function NextPage({
  list,
  more,
  loading = more,
}: {
  list: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown }
  more: string
  loading?: string
}) {
  if (!list.hasNextPage) return null
  return (
    <button
      type="button"
      className={`${quietButton} mt-4`}
      disabled={list.isFetchingNextPage}
      onClick={() => void list.fetchNextPage()}
    >
      {list.isFetchingNextPage ? loading : more}
    </button>
  )
}

/** The rows of a list that is on its way. */
export function Rows({ count = 4 }: { count?: number }) {
  return (
    <div aria-busy="true">
      <span className="sr-only">{messages.loading}</span>
      {Array.from({ length: count }, (_, i) => (
        <div
          key={i}
          className="flex items-center justify-between gap-6 border-t border-line py-3.5"
        >
          <div className="flex-1">
            <Skeleton className="h-4 w-2/5" />
            <Skeleton className="mt-2 h-3.5 w-3/5" />
          </div>
          <Skeleton className="h-9 w-20" />
        </div>
      ))}
    </div>
  )
}

/** A list that could not be loaded, and the way to try again. */
export function LoadFailed({ error, retry }: { error: unknown; retry: () => unknown }) {
  return (
    <div role="alert">
      <Notice
        title={text.failed}
        action={
          <button type="button" className={quietButton} onClick={() => void retry()}>
            {messages.errors.retry}
          </button>
        }
      >
        <p>{sentenceOf(error)}</p>
        {error instanceof ApiError && error.traceId && (
          <p className="mt-2 text-small">{messages.errors.trace(error.traceId)}</p>
        )}
      </Notice>
    </div>
  )
}

/** Says who may, to someone who may not. */
export function NotForYou({
  title,
  who,
  ask = text.ask,
  back,
  action,
}: {
  title: string
  who: string
  /** Whom to ask. */
  ask?: string
  action?: ReactNode
  back?: ComponentProps<typeof Page>['back']
}) {
  const { tenant } = useIdentity()
  return (
    <Page title={title} lead={who} {...(back === undefined ? {} : { back })}>
      <p className="mt-6 rounded bg-sunken px-4 py-3 text-small">
        {text.yourRole(tenant.name, messages.tenant.role[tenant.role])} {ask}
      </p>
      {action && <div className="mt-4">{action}</div>}
    </Page>
  )
}

/** A secret that is shown this once. */
export function Secret({ label, value, copy }: { label: string; value: string; copy: string }) {
  return (
    <div>
      <p className="mb-1 text-small text-muted">{label}</p>
      <div className="flex items-start gap-2">
        <code className="min-w-0 flex-1 rounded bg-sunken px-3 py-2.5 font-mono text-small break-all">
          {value}
        </code>
        <CopyButton text={value} label={copy} />
      </div>
    </div>
  )
}

/** A select that looks like the inputs around it. */
export function Select({ className = '', ...props }: ComponentProps<'select'>) {
  return (
    <div className="relative">
      <select {...props} className={`${className} appearance-none truncate pr-9`} />
      <ChevronDown
        aria-hidden="true"
        size={16}
        className="pointer-events-none absolute top-3.5 right-3 text-muted"
      />
    </div>
  )
}

/** Moves the focus to what has just appeared. */
export function useFocus<T extends HTMLElement>() {
  const ref = useRef<T>(null)
  useEffect(() => {
    ref.current?.focus()
  }, [])
  return ref
}

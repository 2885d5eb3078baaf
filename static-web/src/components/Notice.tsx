import type { ReactNode } from 'react'
import { ApiError } from '../api/client'
import { useAddress } from '../lib/range'
import { isGone } from '../lib/sources'
import { messages } from '../messages'

export const button =
  'tap inline-flex items-center justify-center gap-2 rounded px-4 text-body font-semibold transition-colors'
export const quietButton = `${button} border border-line bg-surface hover:border-line-strong`

/** What a view says when it has no numbers: empty, or an error with a way out. */
export function Notice({
  title,
  children,
  action,
}: {
  title: string
  children?: ReactNode
  action?: ReactNode
}) {
  return (
    <div className="max-w-prose py-8">
      <h2 className="text-lead font-semibold">{title}</h2>
      {children && <div className="mt-1 text-muted">{children}</div>}
      {action && <div className="mt-4">{action}</div>}
    </div>
  )
}

export function ErrorNotice({ error, retry }: { error: unknown; retry: () => void }) {
  const known = error instanceof ApiError
  if (isGone(error)) return <SourcesGone />
  return (
    <div role="alert">
      <Notice
        title={messages.errors.title}
        action={
          <button type="button" className={quietButton} onClick={retry}>
            {messages.errors.retry}
          </button>
        }
      >
        <p>{known ? error.message : messages.errors.crash}</p>
        <p>{messages.errors.stillWorks}</p>
        {known && error.traceId && (
          <p className="mt-2 text-small">{messages.errors.trace(error.traceId)}</p>
        )}
      </Notice>
    </div>
  )
}

/** The address names a source that the business does not have, or not any more: nothing else is shown in its place. */
function SourcesGone() {
  const [, change] = useAddress()
  return (
    <div role="alert">
      <Notice
        title={messages.errors.sourceGone}
        action={
          <button
            type="button"
            className={quietButton}
            onClick={() => {
              change({ sources: null })
            }}
          >
            {messages.errors.allSources}
          </button>
        }
      >
        {messages.errors.sourceGoneWhy}
      </Notice>
    </div>
  )
}

import { useQueryClient } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { api, ApiError } from '../../api/client'
import type { Dashboard, DashboardShare, FreshShare } from '../../api/types'
import { Dialog } from '../../components/Dialog'
import { primaryButton } from '../../components/buttons'
import { useKept } from '../../components/form/useKept'
import { quietButton } from '../../components/Notice'
import { Skeleton } from '../../components/Skeleton'
import { clock, dayIn } from '../../lib/dates'
import { fullDay } from '../../lib/dayNames'
import { useSources } from '../../components/sources/useSources'
import { sourcesOf } from '../../lib/boards'
import { useIdentity } from '../../lib/session'
import { choicesOf, joined, namesOf, type Source } from '../../lib/sources'
import { messages } from '../../messages'
import { boards } from '../../messages-boards'
import { useShares } from './queries'

const text = boards.share
const spans = [1, 7, 30, 90, 365]
const field =
  'h-11 w-full rounded border border-line-strong bg-surface px-3 text-body hover:border-ink focus-visible:outline-offset-0'

interface Typed {
  label: string
  days: number
  /** Id of the one source; empty or left out for all. */
  source?: string
}

/** What a link is narrowed to; nothing where it shows all. */
const onlyWords = ({ sources }: DashboardShare, all: readonly Source[] | undefined) => {
  if (sources === null || all === undefined) return null
  const names = namesOf(sources, all)
  return names ? text.only(joined(names)) : text.onlyGone
}

/** The read-only links to a dashboard: make, copy, take back. */
export default function Share({ board, onClose }: { board: Dashboard; onClose: () => void }) {
  const { tenant } = useIdentity()
  const client = useQueryClient()
  const shares = useShares(tenant.id, board.id)
  const [{ label, days, source = '' }, setTyped, typedDone] = useKept<Typed>(`share:${board.id}`, {
    label: '',
    days: 30,
  })
  const all = useSources(tenant.id)
  const able = choicesOf(all ?? [], '')
  const only = able.some((one) => one.id === source) ? [source] : null
  const [fresh, setFresh] = useState<FreshShare | null>(null)
  const [busy, setBusy] = useState(false)
  const [said, setSaid] = useState('')
  const [error, setError] = useState<ApiError | null>(null)
  const [copied, setCopied] = useState(false)
  const id = useId()
  const link = fresh ? `${location.origin}${fresh.path}` : ''

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true)
    setError(null)
    setSaid('')
    try {
      await work()
      await client.invalidateQueries({ queryKey: ['shares', tenant.id, board.id] })
    } catch (problem) {
      setError(problem instanceof ApiError ? problem : new ApiError(messages.errors.crash, 0))
    }
    setBusy(false)
  }
  const make = () =>
    attempt(async () => {
      setCopied(false)
      setFresh(
        await api.post<FreshShare>(`dashboards/${board.id}/shares`, {
          label,
          days,
          ...(only ? { sources: only } : {}),
        }),
      )
      typedDone()
    })
  const revoke = (share: DashboardShare) =>
    attempt(async () => {
      await api.delete(`dashboards/${board.id}/shares/${share.id}`)
      if (fresh?.id === share.id) setFresh(null)
      setSaid(text.revoked(share.label))
    })
  const wrong = error?.fields.label?.[0]

  return (
    <Dialog title={text.title} open onClose={onClose}>
      <p className="text-small text-muted">{text.lead}</p>
      {board.tiles.some((tile) => tile.kind === 'automation') && (
        <p className="mt-2 text-small text-attention">{text.workflows}</p>
      )}

      {board.tiles.some((tile) => sourcesOf(tile) !== null) && (
        <p className="mt-2 text-small text-attention">{text.sourceNames}</p>
      )}

      {fresh ? (
        <div className="mt-4 rounded bg-sunken p-3">
          <p role="status" className="text-small font-semibold">
            {text.fresh}
          </p>
          <div className="mt-2 flex gap-2">
            <input
              readOnly
              aria-label={text.freshLabel}
              value={link}
              className={`${field} min-w-0 flex-1`}
              onFocus={(event) => {
                event.target.select()
              }}
            />
            <button
              type="button"
              className={primaryButton}
              onClick={() => {
                void navigator.clipboard.writeText(link).then(() => {
                  setCopied(true)
                })
              }}
            >
              {copied ? text.copied : text.copy}
            </button>
          </div>
          <p className="mt-2 text-small text-muted">
            {text.tvToo}{' '}
            <button
              type="button"
              className="text-accent underline-offset-2 hover:underline"
              onClick={() => {
                void navigator.clipboard.writeText(link.replace('/shared#', '/tv#')).then(() => {
                  setSaid(text.tvCopied)
                })
              }}
            >
              {text.tvCopy}
            </button>
          </p>
        </div>
      ) : (
        <form
          className="mt-4 grid grid-cols-[1fr_8rem] gap-3"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            void make()
          }}
        >
          <div>
            <label htmlFor={id} className="mb-1 block text-small text-muted">
              {text.label}
            </label>
            <input
              id={id}
              value={label}
              maxLength={60}
              aria-invalid={wrong ? true : undefined}
              aria-describedby={`${id}-hint`}
              className={field}
              onChange={(event) => {
                setTyped({ label: event.target.value, days, source })
              }}
            />
          </div>
          <div>
            <label htmlFor={`${id}-days`} className="mb-1 block text-small text-muted">
              {text.days}
            </label>
            <select
              id={`${id}-days`}
              value={days}
              className={field}
              onChange={(event) => {
                setTyped({ label, days: Number(event.target.value), source })
              }}
            >
              {spans.map((span) => (
                <option key={span} value={span}>
                  {text.daysOf(span)}
                </option>
              ))}
            </select>
          </div>
          <p
            id={`${id}-hint`}
            className={`col-span-2 -mt-2 text-small ${wrong ? 'text-trouble' : 'text-muted'}`}
          >
            {wrong ?? text.labelHint}
          </p>
          {able.length > 0 && (
            <div className="col-span-2">
              <label htmlFor={`${id}-of`} className="mb-1 block text-small text-muted">
                {text.of}
              </label>
              <select
                id={`${id}-of`}
                value={only ? source : ''}
                aria-describedby={only ? `${id}-of-hint` : undefined}
                className={field}
                onChange={(event) => {
                  setTyped({ label, days, source: event.target.value })
                }}
              >
                <option value="">{text.every}</option>
                {able.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.name}
                  </option>
                ))}
              </select>
              {only && (
                <p id={`${id}-of-hint`} className="mt-1 text-small text-muted">
                  {text.ofHint}
                </p>
              )}
            </div>
          )}
          <button type="submit" className={`${primaryButton} col-span-2`} disabled={busy}>
            {busy ? text.making : text.make}
          </button>
        </form>
      )}
      {error && !wrong && (
        <p role="alert" className="mt-3 text-small text-trouble">
          {error.message}
        </p>
      )}
      <p role="status" className="mt-2 text-small text-muted">
        {said}
      </p>

      <h3 className="mt-4 font-semibold">{text.list}</h3>
      {shares.data ? (
        shares.data.shares.length === 0 ? (
          <p className="mt-1 text-small text-muted">{text.none}</p>
        ) : (
          <ul>
            {shares.data.shares.map((share) => (
              <li
                key={share.id}
                className="flex items-center justify-between gap-3 border-t border-line py-1.5 first:border-t-0"
              >
                <span className="min-w-0">
                  <span className="block [overflow-wrap:anywhere]">{share.label}</span>
                  <span className="num block text-small text-muted">
                    {[
                      text.until(fullDay(dayIn(tenant.timeZone, new Date(share.expiresAt)))),
                      share.lastUsedAt
                        ? text.used(clock(share.lastUsedAt, tenant.timeZone, new Date()))
                        : text.unused,
                      onlyWords(share, all),
                    ]
                      .filter(Boolean)
                      .join(' · ')}
                  </span>
                </span>
                <button
                  type="button"
                  className={`${quietButton} shrink-0`}
                  aria-label={text.revokeOf(share.label)}
                  disabled={busy}
                  onClick={() => void revoke(share)}
                >
                  {text.revoke}
                </button>
              </li>
            ))}
          </ul>
        )
      ) : shares.isError ? (
        <p role="alert" className="mt-1 text-small text-trouble">
          {shares.error.message}
        </p>
      ) : (
        <Skeleton className="mt-2 h-11 w-full" />
      )}
    </Dialog>
  )
}

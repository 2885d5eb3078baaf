import { useState } from 'react'
import { api } from '../../api/client'
import type { DataExport } from '../../api/types'
import { primaryButton } from '../../components/buttons'
import { quietButton } from '../../components/Notice'
import { useIdentity } from '../../lib/session'
import { settings } from '../../messages-settings'
import { useConfirmation } from '../../components/confirmations'
import { renewIdentity, useExports, useReload } from './queries'
import {
  dangerButton,
  Failed,
  LoadFailed,
  Page,
  Rows,
  saveFile,
  Section,
  State,
  useQuestion,
} from '../../components/ui'
import { date, fileSize, moment } from './words'

const text = settings.data

export default function Data() {
  return (
    <Page title={text.title} lead={text.lead}>
      <Exports />
      <Deletion />
    </Page>
  )
}

function Exports() {
  const confirmed = useConfirmation()
  const query = useExports()
  const reload = useReload()
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const list = query.data?.exports
  const underWay = list?.some((one) => one.status === 'queued' || one.status === 'running') ?? false
  const start = async () => {
    setBusy(true)
    setFailed(null)
    try {
      await confirmed(() => api.post('tenant/exports'))
      await reload('exports')
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Section
      title={text.export}
      lead={text.exportLead}
      action={
        <button
          type="button"
          disabled={busy || underWay || !list}
          className={primaryButton}
          onClick={() => void start()}
        >
          {busy ? text.starting : text.start}
        </button>
      }
    >
      <Failed error={failed} />
      {list ? (
        list.length === 0 ? (
          <p className="text-small text-muted">{text.empty}</p>
        ) : (
          <>
            <p role="status" className="text-small text-muted">
              {underWay ? text.running : ''}
            </p>
            <ul>
              {list.map((one) => (
                <ExportRow key={one.id} one={one} />
              ))}
            </ul>
          </>
        )
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={query.refetch} />
      ) : (
        <Rows count={2} />
      )}
    </Section>
  )
}

const tones = { queued: 'plain', running: 'plain', succeeded: 'good', failed: 'trouble' } as const

function ExportRow({ one }: { one: DataExport }) {
  const confirmed = useConfirmation()
  const { tenant } = useIdentity()
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const made = moment(one.createdAt, tenant.timeZone)
  const gone = one.expiresAt !== null && Date.parse(one.expiresAt) <= new Date().getTime()
  const download = async () => {
    setBusy(true)
    setFailed(null)
    try {
      const answer = await confirmed(() => api.file(`tenant/exports/${one.id}/download`))
      const day = one.createdAt.slice(0, 10)
      saveFile(await answer.blob(), `${tenant.name.replaceAll(/\W+/g, '-')}-${day}.zip`)
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 border-t border-line py-3 first:border-t-0">
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex flex-wrap gap-x-3">
          <span className="num font-semibold">{text.by(one.requestedBy, made)}</span>
        </p>
        <p className="num text-small text-muted">
          <State tone={gone ? 'plain' : tones[one.status]}>
            {gone ? text.gone : text.status[one.status]}
          </State>
          {one.status === 'running' && ` · ${text.progress(one.done, one.total)}`}
          {one.status === 'succeeded' && !gone && one.bytes !== null && ` · ${fileSize(one.bytes)}`}
          {one.status === 'succeeded' &&
            !gone &&
            one.expiresAt &&
            ` · ${text.until(date(one.expiresAt, tenant.timeZone))}`}
        </p>
        {one.message && <p className="text-small text-trouble">{one.message}</p>}
        {(one.status === 'running' || one.status === 'queued') && (
          <progress
            aria-label={text.bar}
            max={Math.max(1, one.total)}
            value={one.done}
            className="mt-2 block h-1.5 w-full max-w-80 appearance-none overflow-hidden rounded-full bg-sunken [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-sunken [&::-webkit-progress-value]:bg-accent"
          />
        )}
        <Failed error={failed} />
      </div>
      {one.status === 'succeeded' && !gone && (
        <button
          type="button"
          aria-label={text.downloadOf(made)}
          disabled={busy}
          className={quietButton}
          onClick={() => void download()}
        >
          {busy ? settings.common.downloading : text.download}
        </button>
      )}
    </li>
  )
}

function Deletion() {
  const confirmed = useConfirmation()
  const { tenant } = useIdentity()
  const { ask, dialog } = useQuestion()
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const keep = async () => {
    setBusy(true)
    setFailed(null)
    try {
      await confirmed(() => api.delete('tenant/deletion'))
      await renewIdentity()
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Section title={text.delete} lead={tenant.deleteAfter ? null : text.deleteLead}>
      {tenant.deleteAfter ? (
        <div className="rounded border border-trouble p-4">
          <p className="max-w-prose">{text.pending(date(tenant.deleteAfter, tenant.timeZone))}</p>
          <button
            type="button"
            disabled={busy}
            className={`${primaryButton} mt-4`}
            onClick={() => void keep()}
          >
            {busy ? text.keeping : text.keep}
          </button>
        </div>
      ) : (
        <button
          type="button"
          className={dangerButton}
          onClick={() => {
            ask({
              title: text.deleteTitle(tenant.name),
              text: text.deleteText,
              action: text.deleteAction,
              busy: text.deleting,
              danger: true,
              typed: { label: text.deleteTyped(tenant.name), value: tenant.name },
              run: async () => {
                await api.post('tenant/deletion', { name: tenant.name })
                await renewIdentity()
              },
            })
          }}
        >
          {text.deleteAction}
        </button>
      )}
      <Failed error={failed} />
      {dialog}
    </Section>
  )
}

import { useInfiniteQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { api, query as search } from '../../api/client'
import type { AuditEntry, AuditPage } from '../../api/types'
import { quietButton } from '../../components/Notice'
import { useIdentity } from '../../lib/session'
import { settings } from '../../messages-settings'
import { useConfirmation } from '../../components/confirmations'
import { useMembers } from './queries'
import {
  Failed,
  Labelled,
  LoadFailed,
  NextPage,
  Page,
  Rows,
  saveFile,
  Section,
  Select,
} from '../../components/ui'
import { auditSentence, changeValue, deviceWords, fieldWords, moment } from './words'

const text = settings.audit

interface Filter {
  from: string
  to: string
  actor: string
  action: string
}
const none: Filter = { from: '', to: '', actor: '', action: '' }
const set = (filter: Filter) =>
  Object.fromEntries(Object.entries(filter).map(([name, value]) => [name, value || undefined]))

export default function Audit() {
  const { tenant } = useIdentity()
  const [filter, setFilter] = useState(none)
  const members = useMembers()
  const backwards = filter.from !== '' && filter.to !== '' && filter.from > filter.to
  const log = useInfiniteQuery({
    queryKey: ['audit', tenant.id, filter],
    queryFn: ({ pageParam, signal }) =>
      api.get<AuditPage>(`audit${search({ ...set(filter), limit: '50', cursor: pageParam })}`, {
        signal,
        tenantId: tenant.id,
      }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    placeholderData: (previous, before) =>
      before?.queryKey[1] === tenant.id ? previous : undefined,
    enabled: !backwards,
  })
  const pages = log.data?.pages ?? []
  const entries = pages.flatMap((page) => page.entries)
  const filtered = Object.values(filter).some(Boolean)
  const change = (part: Partial<Filter>) => {
    setFilter({ ...filter, ...part })
  }
  return (
    <Page
      title={text.title}
      lead={text.lead}
      action={<Export filter={filter} disabled={backwards} />}
    >
      <div
        role="search"
        aria-label={text.title}
        className="mt-6 grid grid-cols-2 items-start gap-x-4 gap-y-3 xl:grid-cols-4"
      >
        <Labelled label={text.from} error={backwards ? text.wrongDays : undefined}>
          {(props) => (
            <input
              {...props}
              type="date"
              max={filter.to || undefined}
              value={filter.from}
              onChange={(event) => {
                change({ from: event.target.value })
              }}
            />
          )}
        </Labelled>
        <Labelled label={text.to}>
          {(props) => (
            <input
              {...props}
              type="date"
              min={filter.from || undefined}
              value={filter.to}
              onChange={(event) => {
                change({ to: event.target.value })
              }}
            />
          )}
        </Labelled>
        <Labelled label={text.person}>
          {(props) => (
            <Select
              {...props}
              value={filter.actor}
              onChange={(event) => {
                change({ actor: event.target.value })
              }}
            >
              <option value="">{text.anyone}</option>
              {members.data?.members.map((member) => (
                <option key={member.id} value={member.id}>
                  {member.displayName || member.email}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
        <Labelled label={text.action}>
          {(props) => (
            <Select
              {...props}
              value={filter.action}
              onChange={(event) => {
                change({ action: event.target.value })
              }}
            >
              <option value="">{text.anything}</option>
              {pages[0]?.actions.map(({ key, words }) => (
                <option key={key} value={key}>
                  {words}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
      </div>
      <Section
        title={text.list}
        action={
          filtered && (
            <button
              type="button"
              className="tap px-2 text-small font-semibold text-accent"
              onClick={() => {
                setFilter(none)
              }}
            >
              {text.clear}
            </button>
          )
        }
      >
        {log.data ? (
          <div className={log.isPlaceholderData ? 'opacity-60 transition-opacity' : ''}>
            {entries.length === 0 ? (
              <p className="text-small text-muted">{filtered ? text.noneFound : text.empty}</p>
            ) : (
              <ol>
                {entries.map((entry) => (
                  <Entry key={entry.id} entry={entry} timeZone={tenant.timeZone} />
                ))}
              </ol>
            )}
            <Failed error={log.isFetchNextPageError ? log.error : null} />
            {log.hasNextPage ? (
              <NextPage list={log} more={text.more} loading={text.loadingMore} />
            ) : (
              entries.length > 0 && (
                <p className="border-t border-line pt-3 text-small text-muted">{text.end}</p>
              )
            )}
          </div>
        ) : log.isError ? (
          <LoadFailed error={log.error} retry={log.refetch} />
        ) : (
          <Rows count={8} />
        )}
      </Section>
    </Page>
  )
}

function Entry({ entry, timeZone }: { entry: AuditEntry; timeZone: string }) {
  return (
    <li className="gap-x-6 border-t border-line py-3 first:border-t-0 md:grid md:grid-cols-[minmax(0,1fr)_auto]">
      <div className="min-w-0">
        <p className="break-words">{auditSentence(entry)}.</p>
        {entry.changes.length > 0 && (
          <ul className="mt-1 text-small">
            {entry.changes.map((change) => (
              <li key={change.field} className="break-words">
                <span className="text-muted">{fieldWords(change.field)}: </span>
                {change.before !== null && (
                  <>
                    <span className="sr-only">{text.before} </span>
                    <del className="text-muted no-underline">
                      {changeValue(change.field, change.before, timeZone)}
                    </del>
                    <span aria-hidden="true"> → </span>
                    <span className="sr-only">, {text.after} </span>
                  </>
                )}
                <ins className="font-semibold no-underline">
                  {changeValue(change.field, change.after, timeZone)}
                </ins>
              </li>
            ))}
          </ul>
        )}
      </div>
      <p className="num text-small text-muted md:text-right">
        <time dateTime={entry.at} className="md:block">
          {moment(entry.at, timeZone)}
        </time>
        {entry.address && (
          <>
            <span className="md:hidden"> · </span>
            <span className="break-all">{entry.address}</span>
          </>
        )}
        {entry.userAgent && <> · {deviceWords(entry.userAgent)}</>}
      </p>
    </li>
  )
}

function Export({ filter, disabled }: { filter: Filter; disabled: boolean }) {
  const confirmed = useConfirmation()
  const { tenant } = useIdentity()
  const [busy, setBusy] = useState<string | null>(null)
  const [failed, setFailed] = useState<unknown>(null)
  const download = async (format: 'csv' | 'json') => {
    setBusy(format)
    setFailed(null)
    try {
      const answer = await confirmed(() =>
        api.file(`audit/export${search({ format, ...set(filter) })}`),
      )
      saveFile(await answer.blob(), `audit-log-${tenant.name.replaceAll(/\W+/g, '-')}.${format}`)
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(null)
    }
  }
  return (
    <div className="max-sm:w-full">
      <div className="flex gap-3">
        {(['csv', 'json'] as const).map((format) => (
          <button
            key={format}
            type="button"
            disabled={disabled || busy !== null}
            className={`${quietButton} max-sm:flex-1`}
            onClick={() => void download(format)}
          >
            {busy === format ? settings.common.downloading : text[format]}
          </button>
        ))}
      </div>
      <Failed error={failed} />
    </div>
  )
}

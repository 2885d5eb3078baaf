import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { api } from '../../api/client'
import type { SignedInSession, SignedInSessions } from '../../api/types'
import { useIdentity, useSession } from '../../lib/session'
import { settings } from '../../messages-settings'
import { useSessions } from './queries'
import {
  Failed,
  LoadFailed,
  outlineDanger,
  Rows,
  Section,
  small,
  State,
  useQuestion,
} from '../../components/ui'
import { ago, date, deviceWords } from './words'

const text = settings.profile

/** As many sessions are shown at first. */
const shortly = 5

/** In which browsers the person is signed in, and how to end that. */
export function SessionsPart() {
  const { tenant } = useIdentity()
  const { signOut } = useSession()
  const client = useQueryClient()
  const query = useSessions()
  const { ask, dialog } = useQuestion()
  const [failed, setFailed] = useState<unknown>(null)
  const [whole, setWhole] = useState(false)
  const list = [...(query.data?.sessions ?? [])].sort(
    (a, b) => Number(b.current) - Number(a.current),
  )
  const now = new Date()

  const end = async (session: SignedInSession) => {
    setFailed(null)
    const before = client.getQueryData<SignedInSessions>(['sessions'])
    client.setQueryData<SignedInSessions>(['sessions'], (was) => ({
      sessions: was?.sessions.filter((one) => one.id !== session.id) ?? [],
    }))
    try {
      await api.delete(`auth/sessions/${session.id}`)
    } catch (error) {
      client.setQueryData(['sessions'], before)
      setFailed(error)
    }
  }

  return (
    <Section
      title={text.sessions}
      lead={text.sessionsLead}
      action={
        <button
          type="button"
          className={outlineDanger}
          onClick={() => {
            ask({
              title: text.everywhereTitle,
              text: text.everywhereText,
              action: text.everywhere,
              danger: true,
              run: async () => {
                await api.post('auth/logout-everywhere')
                await signOut()
              },
            })
          }}
        >
          {text.everywhere}
        </button>
      }
    >
      <Failed error={failed} />
      {query.data ? (
        <>
          <ul>
            {list.slice(0, whole ? undefined : shortly).map((session) => {
              const device = deviceWords(session.userAgent)
              return (
                <li
                  key={session.id}
                  className="flex min-h-16 items-center gap-4 border-t border-line py-2 first:border-t-0"
                >
                  <div className="min-w-0 flex-1">
                    <p className="flex flex-wrap items-center gap-x-3">
                      <span className="font-semibold">{device}</span>
                      {session.current && (
                        <span className="text-small">
                          <State tone="good">{text.thisBrowser}</State>
                        </span>
                      )}
                    </p>
                    <p className="num text-small text-muted">
                      {[
                        session.address ? text.from(session.address) : null,
                        session.current
                          ? null
                          : text.lastSeen(ago(session.lastSeenAt, tenant.timeZone, now)),
                        text.since(date(session.createdAt, tenant.timeZone)),
                      ]
                        .filter(Boolean)
                        .join(' · ')}
                    </p>
                  </div>
                  {!session.current && (
                    <button
                      type="button"
                      aria-label={text.endOne(device)}
                      className={`${small} border border-line bg-surface hover:border-line-strong`}
                      onClick={() => void end(session)}
                    >
                      {text.end}
                    </button>
                  )}
                </li>
              )
            })}
          </ul>
          {!whole && list.length > shortly && (
            <button
              type="button"
              className={`${small} -ml-3 text-accent hover:underline`}
              onClick={() => {
                setWhole(true)
              }}
            >
              {text.allSessions(list.length)}
            </button>
          )}
        </>
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={query.refetch} />
      ) : (
        <Rows count={2} />
      )}
      {dialog}
    </Section>
  )
}

import { useState } from 'react'
import type { PushedEvent } from '../../api/types'
import { LoadFailed, NextPage, Rows, Section, small, State } from '../../components/ui'
import { clock } from '../../lib/dates'
import { useIdentity } from '../../lib/session'
import { words } from '../../messages-integrations'
import { usePushLog } from './queries'

const text = words.log
const shows = ['all', 'rejected'] as const

/** What a source sent of late and what became of it; so that whoever sets it up sees at once whether it is understood. */
export default function PushLog() {
  const [show, setShow] = useState<(typeof shows)[number]>('all')
  const list = usePushLog(show)
  const entries = list.data?.pages.flatMap((page) => page.entries)
  return (
    <Section title={text.title} lead={text.lead}>
      <div role="group" aria-label={text.show} className="mb-2 flex flex-wrap gap-x-1">
        {shows.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={one === show}
            className={`${small} ${one === show ? 'bg-sunken' : 'font-normal! text-muted hover:text-ink'}`}
            onClick={() => {
              setShow(one)
            }}
          >
            {text.shows[one]}
          </button>
        ))}
      </div>
      {entries ? (
        entries.length === 0 ? (
          <p className="text-small text-muted">
            {show === 'rejected' ? text.emptyRejected : text.empty}
          </p>
        ) : (
          <ul className="max-w-[44rem]">
            {entries.map((entry) => (
              <Entry key={entry.id} entry={entry} />
            ))}
          </ul>
        )
      ) : list.isError ? (
        <LoadFailed error={list.error} retry={list.refetch} />
      ) : (
        <Rows count={3} />
      )}
      <NextPage list={list} more={text.more} />
    </Section>
  )
}

function Entry({ entry }: { entry: PushedEvent }) {
  const { tenant } = useIdentity()
  const workflow = entry.workflowName ?? entry.workflowId
  const state = entry.state && (text.state[entry.state] ?? entry.state)
  const what =
    workflow || entry.executionId
      ? text.run(workflow ?? '–', entry.executionId, state)
      : entry.events > 0
        ? text.several(entry.events)
        : text.request
  return (
    <li className="border-t border-line py-2.5 text-small first:border-t-0">
      <p className="flex flex-wrap items-baseline justify-between gap-x-4">
        <span className="min-w-0 wrap-anywhere">{what}</span>
        <State
          tone={
            entry.outcome === 'rejected'
              ? 'trouble'
              : entry.outcome === 'accepted'
                ? 'good'
                : 'plain'
          }
        >
          {text.outcome[entry.outcome]}
        </State>
      </p>
      {entry.reason && <p className="wrap-anywhere text-trouble">{entry.reason}</p>}
      <p className="num wrap-anywhere text-muted">
        {clock(entry.at, tenant.timeZone, new Date())} · {text.from(entry.token, entry.address)}
      </p>
    </li>
  )
}

import { useSearchParams } from 'react-router'
import { quietButton } from '../../components/Notice'
import { SavedAt } from '../../components/SavedAt'
import { Labelled, LoadFailed, NextPage, Page, Rows, Select } from '../../components/ui'
import { useIdentity } from '../../lib/session'
import { words } from '../../messages-integrations'
import { useIntegrations, useRuns } from './queries'
import { RunList } from './RunList'

const text = words.history
const states = ['running', 'waiting', 'queued', 'succeeded', 'failed', 'dead'] as const

/** Every reading and what became of it. */
export default function History() {
  const { tenant } = useIdentity()
  const sources = useIntegrations().data?.integrations ?? []
  const [params, setParams] = useSearchParams()
  const source = params.get('source') ?? ''
  const state = states.find((one) => one === params.get('state')) ?? ''
  const runs = useRuns({ source: source || undefined, state: state || undefined })
  const all = runs.data?.pages.flatMap((page) => page.runs)
  const set = (name: string, value: string) => {
    setParams(
      (was) => {
        if (value) was.set(name, value)
        else was.delete(name)
        return was
      },
      { replace: true },
    )
  }
  return (
    <Page title={text.title} lead={text.lead} back={null}>
      <div className="mt-5 grid max-w-[28rem] grid-cols-2 gap-4">
        <Labelled label={text.source}>
          {(props) => (
            <Select
              {...props}
              value={source}
              onChange={(event) => {
                set('source', event.target.value)
              }}
            >
              <option value="">{text.allSources}</option>
              {sources.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.displayName}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
        <Labelled label={text.state}>
          {(props) => (
            <Select
              {...props}
              value={state}
              onChange={(event) => {
                set('state', event.target.value)
              }}
            >
              <option value="">{text.allStates}</option>
              {states.map((one) => (
                <option key={one} value={one}>
                  {text.filter[one]}
                </option>
              ))}
            </Select>
          )}
        </Labelled>
      </div>
      <div className="mt-4 border-t border-line">
        {all ? (
          all.length > 0 ? (
            <>
              <RunList runs={all} />
              <NextPage list={runs} more={text.more} loading={text.loadingMore} />
            </>
          ) : source || state ? (
            <div className="py-6">
              <p className="text-muted">{text.emptyFiltered}</p>
              <button
                type="button"
                className={`${quietButton} mt-3`}
                onClick={() => {
                  setParams({}, { replace: true })
                }}
              >
                {text.clear}
              </button>
            </div>
          ) : (
            <p className="py-6 text-muted">{text.empty}</p>
          )
        ) : runs.isError ? (
          <LoadFailed error={runs.error} retry={runs.refetch} />
        ) : (
          <Rows count={6} />
        )}
      </div>
      <SavedAt query={runs} timeZone={tenant.timeZone} />
    </Page>
  )
}

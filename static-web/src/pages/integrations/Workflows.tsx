import { useState } from 'react'
import { api } from '../../api/client'
import type { Integration, SourceWorkflow } from '../../api/types'
import { useKept } from '../../components/form/useKept'
import {
  inputClass,
  LoadFailed,
  Rows,
  Saved,
  Section,
  sentenceOf,
  small,
} from '../../components/ui'
import { formatNumber } from '../../lib/format'
import { words } from '../../messages-integrations'
import { useChanged, useMayChange, useWorkflows } from './queries'
import { parseMinutes } from './words'

const text = words.workflows
const few = 8

/** The workflows of an n8n and the minutes that each success saves. */
export default function Workflows({ source }: { source: Integration }) {
  const query = useWorkflows(source.id)
  const [find, setFind] = useState('')
  const [whole, setWhole] = useState(false)
  const all = query.data?.workflows ?? []
  const wanted = find.trim().toLowerCase()
  const found = all
    .filter(({ name }) => name.toLowerCase().includes(wanted))
    .sort((a, b) => Number(b.active) - Number(a.active) || a.name.localeCompare(b.name))
  const shown = whole || wanted ? found : found.slice(0, few)
  return (
    <Section title={text.title} lead={text.lead}>
      {query.data ? (
        all.length === 0 ? (
          <p className="text-small text-muted">{text.none}</p>
        ) : (
          <>
            {all.length > few && (
              <input
                type="search"
                aria-label={text.find}
                placeholder={text.find}
                className={`${inputClass} mb-2 max-w-80 border-line-strong`}
                value={find}
                onChange={(event) => {
                  setFind(event.target.value)
                }}
              />
            )}
            <ul aria-label={text.title}>
              {shown.map((workflow) => (
                <Row key={workflow.id} workflow={workflow} source={source.id} />
              ))}
            </ul>
            {shown.length === 0 && (
              <p className="text-small text-muted">{text.noneFound(find.trim())}</p>
            )}
            {shown.length < found.length && (
              <button
                type="button"
                className={`${small} mt-2 border border-line bg-surface hover:border-line-strong`}
                onClick={() => {
                  setWhole(true)
                }}
              >
                {text.all(found.length)}
              </button>
            )}
          </>
        )
      ) : query.isError ? (
        <LoadFailed error={query.error} retry={query.refetch} />
      ) : (
        <Rows count={4} />
      )}
    </Section>
  )
}

function Row({ workflow, source }: { workflow: SourceWorkflow; source: string }) {
  const manage = useMayChange('manage_integrations')
  const changed = useChanged()
  const before = workflow.minutesSaved === null ? '' : String(workflow.minutesSaved)
  const [typed, setTyped, typedDone] = useKept(`minutes:${source}:${workflow.id}`, before)
  const [saved, setSaved] = useState(false)
  const [failed, setFailed] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [past, setPast] = useState(false)
  const known = workflow.minutesSaved !== null || workflow.providerMinutesSaved !== null
  const dirty = typed.trim() !== before
  const minutes = (value: number) => formatNumber(value, { unit: 'minutes' }, 'exact')
  const save = async () => {
    if (!dirty || busy) return
    const minutesSaved = parseMinutes(typed)
    if (minutesSaved === undefined) {
      setFailed(text.wrong)
      return
    }
    setBusy(true)
    setFailed(null)
    setSaved(false)
    try {
      await api.patch(`integrations/${source}/workflows/${encodeURIComponent(workflow.id)}`, {
        minutesSaved,
        applyToPast: past || null,
      })
      await changed(`workflows ${source}`, 'automation')
      typedDone()
      setPast(false)
      setSaved(true)
    } catch (error) {
      setFailed(sentenceOf(error))
    } finally {
      setBusy(false)
    }
  }
  const notes = [
    workflow.gone ? text.gone : !workflow.shown ? text.notShown : workflow.active ? null : text.off,
    workflow.providerMinutesSaved === null
      ? text.providerNone
      : text.provider(minutes(workflow.providerMinutesSaved)),
    workflow.keepsSuccesses || !workflow.shown ? null : text.notKept,
  ].filter(Boolean)
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 border-t border-line py-3 first:border-t-0">
      <div className="min-w-48 flex-1">
        <p className="font-semibold wrap-anywhere">{workflow.name}</p>
        <p className="num text-small text-muted">{notes.join(' · ')}</p>
        {failed && (
          <p role="alert" className="text-small text-trouble">
            {failed}
          </p>
        )}
      </div>
      {manage ? (
        <form
          noValidate
          className="flex items-center gap-2"
          onSubmit={(event) => {
            event.preventDefault()
            void save()
          }}
        >
          <Saved>{saved && !dirty ? text.saved : ''}</Saved>
          {dirty && known && (
            <label className="order-last flex items-center gap-1.5 text-small">
              <input
                type="checkbox"
                aria-label={text.pastOf(workflow.name)}
                checked={past}
                onChange={(event) => {
                  setPast(event.target.checked)
                }}
              />
              {text.past}
            </label>
          )}
          {dirty && (
            <button
              type="submit"
              disabled={busy}
              className={`${small} order-last border border-line bg-surface hover:border-line-strong`}
            >
              {text.save}
            </button>
          )}
          <input
            aria-label={text.of(workflow.name)}
            aria-invalid={failed ? true : undefined}
            inputMode="decimal"
            autoComplete="off"
            maxLength={8}
            placeholder={
              workflow.providerMinutesSaved === null ? '–' : String(workflow.providerMinutesSaved)
            }
            className={`${inputClass} num w-20! border-line-strong text-right`}
            value={typed}
            onChange={(event) => {
              setTyped(event.target.value)
              setSaved(false)
            }}
          />
          <span className="text-small text-muted">{text.unit}</span>
        </form>
      ) : (
        <p className="num text-small">
          {workflow.minutesSaved === null && workflow.providerMinutesSaved === null
            ? '–'
            : minutes(workflow.minutesSaved ?? workflow.providerMinutesSaved ?? 0)}
        </p>
      )}
    </li>
  )
}

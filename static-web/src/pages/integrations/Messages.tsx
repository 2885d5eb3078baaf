import { useState } from 'react'
import { api } from '../../api/client'
import type { Integration } from '../../api/types'
import { Failed, Saved, Section } from '../../components/ui'
import { words } from '../../messages-integrations'
import { useChanged } from './queries'

const text = words.messages

/** Whether this source may be asked why single runs failed. */
export default function Messages({ source }: { source: Integration }) {
  const changed = useChanged()
  const [busy, setBusy] = useState(false)
  const [saved, setSaved] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  if (typeof source.readMessages !== 'boolean') return null
  const set = async (readMessages: boolean) => {
    setBusy(true)
    setSaved(false)
    setFailed(null)
    try {
      await api.patch(`integrations/${source.id}`, { readMessages })
      await changed()
      setSaved(true)
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return (
    <Section title={text.title} lead={text.lead}>
      <label className="tap flex items-center gap-3">
        <input
          type="checkbox"
          className="size-5 accent-accent"
          checked={source.readMessages}
          disabled={busy}
          onChange={(event) => void set(event.target.checked)}
        />
        {text.read}
      </label>
      <Failed error={failed} />
      <Saved>{saved ? text.saved : ''}</Saved>
    </Section>
  )
}

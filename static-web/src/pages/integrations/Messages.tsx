import type { Integration } from '../../api/types'
import { Failed, Saved, Section } from '../../components/ui'
import { words } from '../../messages-integrations'
import { useSetting } from './useSetting'

const text = words.messages

/** Whether this source may be asked why single runs failed. */
export default function Messages({ source }: { source: Integration }) {
  const { busy, saved, failed, save } = useSetting(source)
  if (typeof source.readMessages !== 'boolean') return null
  return (
    <Section title={text.title} lead={text.lead}>
      <label className="tap flex items-center gap-3">
        <input
          type="checkbox"
          className="size-5 accent-accent"
          checked={source.readMessages}
          disabled={busy}
          onChange={(event) => void save({ readMessages: event.target.checked })}
        />
        {text.read}
      </label>
      <Failed error={failed} />
      <Saved>{saved ? text.saved : ''}</Saved>
    </Section>
  )
}

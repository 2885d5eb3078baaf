import type { Integration } from '../../api/types'
import { Failed, Labelled, Saved, Section, Select } from '../../components/ui'
import { words } from '../../messages-integrations'
import { useSetting } from './useSetting'

const text = words.rhythm
const choices = [1, 3, 6, 12, 24, 48, 72, 168, 336, 744]

/** How long a source that is only pushed to may be silent. */
export default function PushRhythm({ source }: { source: Integration }) {
  const { busy, saved, failed, save } = useSetting(source)
  const fixed = source.rhythm === 'fixed' ? source.lateAfterHours : null
  const hours = [...new Set([...choices, ...(fixed ? [fixed] : [])])].sort((a, b) => a - b)
  const choose = (value: string) =>
    save(
      value === 'learned' || value === 'never'
        ? { rhythm: value }
        : { rhythm: 'fixed', lateAfterHours: Number(value) },
    )
  return (
    <Section title={text.title} lead={text.lead}>
      <div className="max-w-80">
        <Labelled label={text.label}>
          {(props) => (
            <Select
              {...props}
              disabled={busy}
              value={fixed ? String(fixed) : (source.rhythm ?? 'learned')}
              onChange={(event) => void choose(event.target.value)}
            >
              <option value="learned">
                {text.learned(source.rhythm === 'learned' ? source.lateAfterHours : null)}
              </option>
              {hours.map((one) => (
                <option key={one} value={String(one)}>
                  {text.fixed(one)}
                </option>
              ))}
              <option value="never">{text.never}</option>
            </Select>
          )}
        </Labelled>
      </div>
      <Saved>{saved ? text.saved : ''}</Saved>
      <Failed error={failed} />
    </Section>
  )
}

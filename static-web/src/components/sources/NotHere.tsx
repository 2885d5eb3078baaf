import { Notice, quietButton } from '../Notice'
import { useAddress } from '../../lib/range'
import { messages } from '../../messages'
import { sources as text } from './messages'
import { useChosenNames } from './SourceFilter'

/** The page is narrowed to a source that has nothing of what it is about: said, with the way back, and no other numbers shown in their place. */
export function NotHere({ chosen, what }: { chosen: string; what: string }) {
  const [, change] = useAddress()
  return (
    <Notice
      title={text.noneOf(useChosenNames(chosen) ?? '', what)}
      action={
        <button
          type="button"
          className={quietButton}
          onClick={() => {
            change({ sources: null })
          }}
        >
          {messages.errors.allSources}
        </button>
      }
    >
      {text.noneOfWhy}
    </Notice>
  )
}

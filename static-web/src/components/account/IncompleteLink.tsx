import { account } from '../../messages-account'
import { Frame, WayOn } from './Frame'

/** The address came without its secret: cut off, or opened from a history. */
export function IncompleteLink() {
  const text = account.incomplete
  return <Frame title={text.title} lead={text.text} foot={<WayOn />} />
}

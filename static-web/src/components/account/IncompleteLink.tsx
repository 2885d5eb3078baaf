import { account } from '../../messages-account'
import { Frame, Way } from './Frame'

/** The address came without its secret: cut off, or opened from a history. */
export function IncompleteLink() {
  const text = account.incomplete
  return <Frame title={text.title} lead={text.text} foot={<Way to="/">{account.toOverview}</Way>} />
}

import type { Dashboard } from '../../api/types'
import { readDraft, type Place } from '../../lib/drafts'

export const draftOf = (board: Dashboard) => `dashboard:${board.id}`

/** An arrangement that was not saved, if the dashboard is still the one that it was made from. */
export function keptBoard(place: Place, board: Dashboard) {
  const kept = readDraft<Pick<Dashboard, 'version' | 'tiles' | 'name' | 'shared'>>(
    place,
    draftOf(board),
  )
  return kept?.version === board.version ? kept : null
}

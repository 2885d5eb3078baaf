import { adopt, api } from '../api/client'
import type { Session } from '../api/types'

/** Whatever is answered with a session: signing in, in any of its ways. */
export async function enter(path: string, body: unknown) {
  adopt(await api.open<Session>('POST', path, body))
}

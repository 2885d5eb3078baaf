import { Dialog } from '../components/Dialog'
import { later } from '../messages-later'
import { useServiceWorker } from '../lib/worker'
import type { RefreshState } from './refresh'
import { RefreshPanel } from './RefreshPanel'

interface Props {
  refresh: RefreshState
  onRefreshClose: () => void
  timeZone: string
  help: boolean
  onHelpClose: () => void
}

/** What lies over a page now and then: the progress of a refresh and the list of shortcuts. */
export default function Extras({ refresh, onRefreshClose, timeZone, help, onHelpClose }: Props) {
  useServiceWorker()
  return (
    <>
      <RefreshPanel state={refresh} onClose={onRefreshClose} timeZone={timeZone} />
      <Dialog title={later.shortcuts.title} open={help} onClose={onHelpClose}>
        <dl>
          {later.shortcuts.list.map(({ keys, does }) => (
            <div
              key={does}
              className="flex items-center justify-between border-t border-line py-2.5 first:border-t-0"
            >
              <dt className="order-2 flex gap-1">
                {keys.map((key, i) => (
                  <kbd
                    key={`${key}${i}`}
                    className="min-w-7 rounded border border-line bg-sunken px-1.5 text-center font-sans text-small"
                  >
                    {key}
                  </kbd>
                ))}
              </dt>
              <dd>{does}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    </>
  )
}

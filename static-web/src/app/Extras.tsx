import { useState } from 'react'
import { Dialog } from '../components/Dialog'
import { ShortcutList } from '../components/ShortcutList'
import { Unsaved } from '../components/Unsaved'
import { later } from '../messages-later'
import { useNewVersion, useServiceWorker } from '../lib/worker'
import type { RefreshState } from './refresh'
import { RefreshPanel } from './RefreshPanel'

interface Props {
  refresh: RefreshState
  onRefreshClose: () => void
  timeZone: string
  help: boolean
  onHelpClose: () => void
}

/** What lies over a page now and then: the progress of a refresh, the list of shortcuts, and that there is a newer version of it. */
export default function Extras({ refresh, onRefreshClose, timeZone, help, onHelpClose }: Props) {
  const [newer, setNewer] = useState(false)
  useServiceWorker()
  useNewVersion(() => {
    setNewer(true)
  })
  return (
    <>
      <div role="status" className="fixed bottom-3 left-3 z-30 max-w-[calc(100vw-1.5rem)]">
        {newer && (
          <p className="arrive flex items-center gap-2 rounded border border-line bg-surface py-0.5 pr-1 pl-3 text-small shadow-over">
            {later.version.newer}
            <button
              type="button"
              className="tap px-3 font-semibold text-accent"
              onClick={() => {
                location.reload()
              }}
            >
              {later.version.load}
            </button>
          </p>
        )}
      </div>
      <Unsaved />
      <RefreshPanel state={refresh} onClose={onRefreshClose} timeZone={timeZone} />
      <Dialog title={later.shortcuts.title} open={help} onClose={onHelpClose}>
        <ShortcutList />
      </Dialog>
    </>
  )
}

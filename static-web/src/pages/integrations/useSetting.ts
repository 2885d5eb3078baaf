import { useState } from 'react'
import { api } from '../../api/client'
import { useChanged } from './queries'

/** A setting of a source that is saved as soon as it is chosen: whether that goes on, went well, or failed. */
export function useSetting(source: { id: string }) {
  const changed = useChanged()
  const [busy, setBusy] = useState(false)
  const [saved, setSaved] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const save = async (change: Record<string, unknown>) => {
    setBusy(true)
    setSaved(false)
    setFailed(null)
    try {
      await api.patch(`integrations/${source.id}`, change)
      await changed()
      setSaved(true)
    } catch (error) {
      setFailed(error)
    } finally {
      setBusy(false)
    }
  }
  return { busy, saved, failed, save }
}

import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { useNavigate } from 'react-router'
import { api } from '../../api/client'
import type { Demo } from '../../api/types'
import { useSession } from '../../lib/session'

/** The demonstration of this installation, where it has one. */
export const useDemo = (enabled = true) =>
  useQuery({
    queryKey: ['demo'],
    queryFn: ({ signal }) => api.get<Demo>('demo', { signal }),
    staleTime: Infinity,
    enabled,
  })

/** Joins the demonstration and goes there. */
export function useOpenDemo() {
  const { switchTenant } = useSession()
  const navigate = useNavigate()
  const [busy, setBusy] = useState(false)
  const [failed, setFailed] = useState<unknown>(null)
  const open = async () => {
    if (busy) return
    setBusy(true)
    setFailed(null)
    try {
      const { tenantId } = await api.post<Demo>('demo')
      if (tenantId) await switchTenant(tenantId)
      await navigate('/')
    } catch (error) {
      setFailed(error)
      setBusy(false)
    }
  }
  return { open, busy, failed }
}

import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { ApiError } from '../api/client'
import '../lib/back'
import { SessionProvider } from '../lib/session'
import '../styles.css'
import { App } from './App'
import { Crash } from './Crash'
import { Router } from './Router'

const client = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 30_000,
      gcTime: 10 * 60_000,
      // The page says itself when it is offline, with the saved numbers and their date.
      networkMode: 'always',
      retry: (failures, error) =>
        failures < 1 && error instanceof ApiError && (error.status === 0 || error.status >= 500),
      retryDelay: 800,
    },
  },
})

const root = document.getElementById('root')
if (!root) throw new Error('index.html holds no #root.')
createRoot(root).render(
  <StrictMode>
    <Crash whole>
      <QueryClientProvider client={client}>
        <SessionProvider>
          <Router>
            <App />
          </Router>
        </SessionProvider>
      </QueryClientProvider>
    </Crash>
  </StrictMode>,
)

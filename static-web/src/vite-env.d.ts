/// <reference types="vite/client" />

interface ImportMetaEnv {
  /** Where the API lives, when it is not the page's own origin: "https://api.example". */
  readonly VITE_API_BASE?: string
}

interface Window {
  /** Handed from start/start.js to the API client. */
  kpiStart?: {
    /** When it was asked, in milliseconds. */
    at: number
    /** With which token; null when nobody is signed in. */
    token: string | null
    answers: Partial<Record<string, Promise<Response | null | undefined> | undefined>>
  }
}

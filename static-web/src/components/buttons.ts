import { button } from './Notice'

export const primaryButton = `${button} bg-accent text-on-accent hover:bg-accent-strong disabled:opacity-60`

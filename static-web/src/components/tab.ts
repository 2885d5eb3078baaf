/** One of several words in a row, of which one is on. */
export const tab = (on: boolean) =>
  `tap relative px-1.5 text-small whitespace-nowrap after:absolute after:inset-x-1.5 after:bottom-1.5 after:h-0.5 after:rounded-full ${on ? 'font-semibold text-ink after:bg-accent' : 'text-muted hover:text-ink'}`

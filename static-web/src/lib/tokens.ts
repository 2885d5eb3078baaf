/** Colours of the page as they are at this moment, for what is drawn and not styled. */
export function tokenColours() {
  const css = getComputedStyle(document.documentElement)
  const read = (name: string) => css.getPropertyValue(name).trim()
  return {
    surface: read('--surface'),
    ink: read('--ink'),
    muted: read('--muted'),
    font: getComputedStyle(document.body).fontFamily || 'sans-serif',
  }
}

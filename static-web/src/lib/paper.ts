import { flushSync } from 'react-dom'
import { apply, listeners } from './theme'

// Paper is light, whatever the screen is. Styles follow by themselves (tokens.css, print.css); what is drawn in pixels is drawn anew
// before the page is put on paper, and
// again after it.
addEventListener('beforeprint', () => {
  document.documentElement.dataset.theme = 'light'
  flushSync(() => {
    for (const listener of listeners) listener()
  })
})
addEventListener('afterprint', apply)

/** Prints the page, which every browser can save as PDF. */
export function savePdf() {
  print()
}

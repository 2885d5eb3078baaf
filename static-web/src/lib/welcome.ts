// Who goes to Google from the welcome comes back to the list of sources, as everybody does, and is led on from there.
const key = 'kpi.welcome'

/** Remembers, in this tab, whether the way to Google began at the welcome. */
export function beginWelcome(began: boolean) {
  try {
    if (began) sessionStorage.setItem(key, 'google')
    else sessionStorage.removeItem(key)
  } catch {
    // Without storage the person lands on the list of sources, where all of it can be done too.
  }
}

/** Whether it did. */
export function beganAtWelcome(): boolean {
  try {
    return sessionStorage.getItem(key) !== null
  } catch {
    return false
  }
}

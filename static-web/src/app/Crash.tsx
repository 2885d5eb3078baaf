import { Component, type ReactNode } from 'react'
import { Notice, quietButton } from '../components/Notice'
import { unsaved } from '../lib/drafts'
import { messages } from '../messages'

interface Props {
  children: ReactNode
  /** For what stands within a page: a sentence in its place. */
  small?: boolean
  /** Around everything. */
  whole?: boolean
}

/** A browser never fetches a part again that it could not have; only a page that is loaded anew does. */
const anew = () => {
  location.reload()
}

/** Could not be fetched: without a network, or because a new version has other files. */
const isPart = (error: unknown) =>
  /dynamically imported|module script|preload css/i.test(String(error))

/** A page this young, in milliseconds, was just loaded anew: the network that came back may not carry yet, so the next try waits a little. */
const young = 10_000
const pause = 3_000

/** So often within two minutes a page loads itself anew; what still fails then is not mended by it. */
const most = 3
const remembered = 120_000
const triesKey = 'kpi.part-tries'

/** Notes a try, if one is left. Without storage nobody could count, so that there is none. */
const mayTry = () => {
  try {
    const now = Date.now()
    const before = (JSON.parse(sessionStorage.getItem(triesKey) ?? '[]') as number[]).filter(
      (at) => now - at < remembered && at <= now,
    )
    if (before.length >= most) return false
    sessionStorage.setItem(triesKey, JSON.stringify([...before, now]))
    return true
  } catch {
    return false
  }
}

/**
 * Stands in for what fails, so that all around it goes on; around everything, the last resort. A part that was not loaded yet and cannot
 * be had without a
 * network comes by itself once there is one.
 */
export class Crash extends Component<Props, { crashed: boolean; away: boolean }> {
  override state = { crashed: false, away: false }
  private waiting: ReturnType<typeof setTimeout> | undefined
  static getDerivedStateFromError(error: unknown) {
    return {
      crashed: true,
      away: isPart(error) && !navigator.onLine,
    }
  }
  override componentDidCatch(error: unknown) {
    if (this.state.away) addEventListener('online', this.back)
    else if (isPart(error))
      this.waiting = setTimeout(
        () => {
          if (!unsaved() && mayTry()) anew()
        },
        performance.now() > young ? 0 : pause,
      )
  }
  override componentWillUnmount() {
    removeEventListener('online', this.back)
    clearTimeout(this.waiting)
  }
  back = () => {
    if (unsaved()) this.setState({ away: false })
    else anew()
  }
  override render() {
    const { crashed, away } = this.state
    if (!crashed) return this.props.children
    const { title, text } = away
      ? messages.errors.away
      : { title: messages.errors.crash, text: messages.errors.stillWorks }
    if (this.props.small)
      return (
        <p role="alert" className="px-3 py-2 text-small text-muted">
          {title} {away && text}
        </p>
      )
    const Frame = this.props.whole ? 'main' : 'div'
    return (
      <Frame className="px-6 pt-16">
        <Notice
          title={title}
          action={
            away ? null : (
              <button type="button" className={quietButton} onClick={anew}>
                {messages.errors.reload}
              </button>
            )
          }
        >
          {text}
        </Notice>
      </Frame>
    )
  }
}

import { Component, type ReactNode } from 'react'
import { Notice, quietButton } from '../components/Notice'
import { messages } from '../messages'

/** The last resort, when the page itself fails (or a part of a new version cannot be fetched). */
export class Crash extends Component<{ children: ReactNode }, { crashed: boolean }> {
  override state = { crashed: false }
  static getDerivedStateFromError() {
    return { crashed: true }
  }
  override render() {
    if (!this.state.crashed) return this.props.children
    return (
      <main className="px-6 pt-16">
        <Notice
          title={messages.errors.crash}
          action={
            <button
              type="button"
              className={quietButton}
              onClick={() => {
                location.reload()
              }}
            >
              {messages.errors.reload}
            </button>
          }
        >
          {messages.errors.stillWorks}
        </Notice>
      </main>
    )
  }
}

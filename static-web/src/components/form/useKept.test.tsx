import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { useState } from 'react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { discard, unsaved } from '../../lib/drafts'
import { useKept, useUnsaved } from './useKept'

const identity = { user: { id: 'u' }, tenant: { id: 't' } }
vi.mock('../../lib/session', () => ({ useIdentity: () => identity }))

function Form({ asks = true }: { asks?: boolean }) {
  const [text, setText, done] = useKept('thing', 'before', { asks })
  return (
    <>
      <input
        aria-label="text"
        value={text}
        onChange={(event) => {
          setText(event.target.value)
        }}
      />
      <button type="button" onClick={done}>
        saved
      </button>
    </>
  )
}

function Secret() {
  const [key, setKey] = useState('')
  useUnsaved(key !== '', () => {
    setKey('')
  })
  return (
    <input
      aria-label="text"
      value={key}
      onChange={(event) => {
        setKey(event.target.value)
      }}
    />
  )
}

const field = () => screen.getByLabelText<HTMLInputElement>('text')
const type = (value: string) => fireEvent.change(field(), { target: { value } })

beforeEach(() => {
  sessionStorage.clear()
  identity.user.id = 'u'
})
afterEach(() => {
  cleanup()
  discard()
})

it('keeps what was typed over a reload until it is saved', () => {
  const { unmount } = render(<Form />)
  type('typed')
  expect(unsaved()).toBe(true)
  unmount()
  expect(unsaved()).toBe(false)
  render(<Form />)
  expect(field().value).toBe('typed')
  fireEvent.click(screen.getByText('saved'))
  expect(unsaved()).toBe(false)
  cleanup()
  render(<Form />)
  expect(field().value).toBe('before')
})

it('gives it back when somebody leaves all the same, and to nobody else', () => {
  const { unmount } = render(<Form />)
  type('typed')
  unmount()
  identity.user.id = 'another'
  const other = render(<Form />)
  expect(field().value).toBe('before')
  other.unmount()
  identity.user.id = 'u'
  render(<Form />)
  expect(field().value).toBe('typed')
  act(discard)
  expect(field().value).toBe('before')
  expect(sessionStorage.length).toBe(0)
})

it('asks about nothing that is as it was', () => {
  render(<Form />)
  type('typed')
  type('before')
  expect(unsaved()).toBe(false)
})

it('keeps a choice without asking', () => {
  const { unmount } = render(<Form asks={false} />)
  type('typed')
  expect(unsaved()).toBe(false)
  unmount()
  render(<Form asks={false} />)
  expect(field().value).toBe('typed')
})

it('asks about a secret and keeps nothing of it', () => {
  const { unmount } = render(<Secret />)
  type('n8n_api_secret')
  expect(unsaved()).toBe(true)
  expect(JSON.stringify({ ...sessionStorage })).not.toContain('n8n_api_secret')
  act(discard)
  expect(field().value).toBe('')
  unmount()
  expect(unsaved()).toBe(false)
})

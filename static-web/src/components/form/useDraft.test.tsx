import { act, cleanup, fireEvent, render, screen } from '@testing-library/react'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { discard, forgetDrafts, unsaved } from '../../lib/drafts'
import { useDraft } from './useDraft'

const identity = { user: { id: 'u' }, tenant: { id: 't' } }
vi.mock('../../lib/session', () => ({ useIdentity: () => identity }))

let send: (fields: { name: string; key: string }) => Promise<string | null> = () =>
  Promise.resolve(null)

function Form() {
  const { register, handleSubmit, setError, formState } = useDraft<{ name: string; key: string }>(
    'thing',
    {
      secret: ['key'],
      defaultValues: { name: 'before', key: '' },
    },
  )
  return (
    <form
      onSubmit={(event) =>
        void handleSubmit(async (fields) => {
          const wrong = await send(fields)
          if (wrong) setError('name', { message: wrong })
        })(event)
      }
    >
      <input aria-label="name" {...register('name')} />
      <input aria-label="key" {...register('key')} />
      <p>{formState.errors.name?.message}</p>
      <button type="submit">save</button>
    </form>
  )
}

const field = (name: string) => screen.getByLabelText<HTMLInputElement>(name)
const type = (name: string, value: string) =>
  act(async () => {
    fireEvent.input(field(name), { target: { value } })
    await Promise.resolve()
  })
const save = () =>
  act(async () => {
    fireEvent.click(screen.getByText('save'))
    await Promise.resolve()
  })

beforeEach(() => {
  sessionStorage.clear()
  identity.user.id = 'u'
  identity.tenant.id = 't'
})
afterEach(cleanup)

it('keeps what was typed over a reload, and never a secret', async () => {
  const { unmount } = render(<Form />)
  await type('name', 'typed')
  await type('key', 'n8n_api_secret')
  expect(unsaved()).toBe(true)
  unmount()
  expect(unsaved()).toBe(false)
  expect(JSON.stringify({ ...sessionStorage })).not.toContain('n8n_api_secret')
  render(<Form />)
  await act(() => Promise.resolve())
  expect(field('name').value).toBe('typed')
  expect(field('key').value).toBe('')
  expect(unsaved()).toBe(true)
})

it('keeps it for the person and the business', async () => {
  const { unmount } = render(<Form />)
  await type('name', 'typed')
  unmount()
  identity.tenant.id = 'other'
  const there = render(<Form />)
  expect(field('name').value).toBe('before')
  there.unmount()
  identity.tenant.id = 't'
  identity.user.id = 'somebody else'
  const somebody = render(<Form />)
  expect(field('name').value).toBe('before')
  somebody.unmount()
  identity.user.id = 'u'
  forgetDrafts()
  render(<Form />)
  expect(field('name').value).toBe('before')
})

it('forgets it once it is saved, also where the form goes at that moment, and not when it was refused', async () => {
  send = () => Promise.resolve('taken')
  const { unmount } = render(<Form />)
  await type('name', 'typed')
  await save()
  expect(screen.getByText('taken')).toBeDefined()
  unmount()
  expect(sessionStorage.length).toBe(1)

  send = () => {
    again.unmount()
    return Promise.resolve(null)
  }
  const again = render(<Form />)
  await act(() => Promise.resolve())
  await save()
  expect(sessionStorage.length).toBe(0)
})

it('is thrown away on demand', async () => {
  render(<Form />)
  await type('name', 'typed')
  act(discard)
  expect(field('name').value).toBe('before')
  expect(sessionStorage.length).toBe(0)
  expect(unsaved()).toBe(false)
})

it('is gone when what was typed is what was there', async () => {
  render(<Form />)
  await type('name', 'typed')
  await type('name', 'before')
  expect(sessionStorage.length).toBe(0)
})

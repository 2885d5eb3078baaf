import { describe, expect, it, vi } from 'vitest'
import { ApiError } from '../../api/client'
import { account } from '../../messages-account'
import { named, place, sentence } from './problems'

const labels = { email: 'E-mail address', password: 'Password' }

describe('what the API said', () => {
  it('stands at its fields under their names on the page, and the first takes the focus', () => {
    const setError = vi.fn()
    const error = new ApiError('All of it.', 400, {
      password: ["'password' must have 8 to 256 characters."],
      email: ["'email' is empty."],
    })
    place(error, setError, labels)
    expect(setError.mock.calls).toEqual([
      ['email', { message: 'E-mail address is empty.' }, { shouldFocus: true }],
      ['password', { message: 'Password must have 8 to 256 characters.' }, { shouldFocus: false }],
    ])
  })

  it('stands at the form when it is of none of its fields', () => {
    const setError = vi.fn()
    place(new ApiError('The link is used.', 400, { token: ['x'] }), setError, labels)
    place(new ApiError('Not right.', 401), setError, labels)
    place(new TypeError('inside'), setError, labels)
    expect(setError.mock.calls).toEqual([
      ['root', { message: 'The link is used.' }],
      ['root', { message: 'Not right.' }],
      ['root', { message: account.failed }],
    ])
  })

  it('says how long to wait', () => {
    expect(sentence(new ApiError('x', 429, {}, undefined, 'too-many-requests', 1))).toBe(
      'Too many attempts. Try again in 1 second.',
    )
    expect(sentence(new ApiError('x', 429, {}, undefined, undefined, 840))).toBe(
      'Too many attempts. Try again in 14 minutes.',
    )
    expect(sentence(new ApiError('Too many.', 429))).toBe('Too many.')
  })

  it('keeps other words in quotes', () => {
    expect(named("'role' must be one of 'admin', 'member'.", 'role', 'Role')).toBe(
      "Role must be one of 'admin', 'member'.",
    )
  })
})

import { describe, expect, it, vi } from 'vitest'
import { ApiError } from '../api/client'
import { withConfirmation } from './confirmed'

const stale = () => new ApiError('Confirm that it is you.', 403, {}, undefined, 'confirm-identity')

describe('a call that may ask for a confirmation', () => {
  it('is not interrupted when none is asked for', async () => {
    const ask = vi.fn()
    await expect(withConfirmation(() => Promise.resolve(1), ask)).resolves.toBe(1)
    expect(ask).not.toHaveBeenCalled()
  })

  it('is repeated once after it was given', async () => {
    const work = vi.fn().mockRejectedValueOnce(stale()).mockResolvedValueOnce('done')
    await expect(withConfirmation(work, () => Promise.resolve(true))).resolves.toBe('done')
    expect(work).toHaveBeenCalledTimes(2)
  })

  it('does not ask for ever', async () => {
    const ask = vi.fn().mockResolvedValue(true)
    await expect(withConfirmation(() => Promise.reject(stale()), ask)).rejects.toMatchObject({
      kind: 'confirm-identity',
    })
    expect(ask).toHaveBeenCalledTimes(1)
  })

  it('fails with the sentence of the API when it was declined', async () => {
    const work = vi.fn().mockRejectedValue(stale())
    await expect(withConfirmation(work, () => Promise.resolve(false))).rejects.toMatchObject({
      message: 'Confirm that it is you.',
    })
    expect(work).toHaveBeenCalledTimes(1)
  })

  it('passes every other problem on', async () => {
    const ask = vi.fn()
    await expect(
      withConfirmation(
        () => Promise.reject(new ApiError('No.', 403, {}, undefined, 'forbidden')),
        ask,
      ),
    ).rejects.toMatchObject({ kind: 'forbidden' })
    expect(ask).not.toHaveBeenCalled()
  })
})

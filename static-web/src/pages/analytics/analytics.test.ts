import { expect, it } from 'vitest'
import { readOnly, writeOnly } from './address'

it('keeps what stands alone to the page that it was chosen on', () => {
  const written = writeOnly('web.sessions', { dimension: 'landing_page', member: '/~anna' })
  expect(readOnly(written, 'web.sessions')).toEqual({ dimension: 'landing_page', member: '/~anna' })
  expect(readOnly(written, 'shop.revenue')).toBeNull()
})

it('takes an address that makes no sense as if it were not there', () => {
  for (const text of [
    null,
    '',
    'web',
    'web~weather~x',
    'web~channel~',
    `web~channel~${'x'.repeat(201)}`,
  ])
    expect(readOnly(text, 'web')).toBeNull()
})

import { render, screen } from '@testing-library/react'
import { describe, expect, it } from 'vitest'
import { Value } from './Value'

const style = { unit: 'count', locale: 'en-GB' } as const

describe('Value', () => {
  it('shows a number short and reads it out exactly', () => {
    render(<Value value={31204} {...style} />)
    expect(screen.getByText('31.2k').getAttribute('aria-hidden')).toBe('true')
    expect(screen.getAllByText('31,204')).toHaveLength(2)
  })
  it('shows what cannot be measured as a dash with its reason, never as 0', () => {
    const { container } = render(
      <Value
        value={null}
        {...style}
        status="not_measurable"
        reason="No automation source is connected."
        alone
      />,
    )
    expect(container.textContent).not.toContain('0')
    expect(screen.getByRole('button').textContent).toContain('No automation source is connected.')
    expect(screen.getByText('–')).toBeTruthy()
  })
  it('shows a real zero as 0', () => {
    const { container } = render(<Value value={0} {...style} />)
    expect(container.textContent).toBe('0')
  })
  it('says that a number may still change', () => {
    render(<Value value={12} {...style} status="provisional" />)
    expect(screen.getByText('12. May still change')).toBeTruthy()
  })
})

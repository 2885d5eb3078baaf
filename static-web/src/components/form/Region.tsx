import { ChevronDown } from 'lucide-react'
import { useMemo, type ReactNode } from 'react'
import type { UseFormRegisterReturn } from 'react-hook-form'
import { currencies, timeZones } from '../../lib/region'
import { account } from '../../messages-account'
import { inputClass, Labelled, tied } from './Field'

interface Tied {
  id: string
  error?: string | undefined
  field: UseFormRegisterReturn
  /** It was just asked for. */
  focus?: boolean
}

interface Props extends Tied {
  chosen: string
}

function Select({
  id,
  label,
  error,
  field,
  focus = false,
  children,
}: Tied & { label: string; children: ReactNode }) {
  return (
    <Labelled id={id} label={label} error={error}>
      <div className="relative">
        <select
          {...tied({ id, error })}
          className={`${inputClass(error !== undefined)} appearance-none truncate pr-10`}
          // eslint-disable-next-line jsx-a11y/no-autofocus
          autoFocus={focus}
          {...field}
        >
          {children}
        </select>
        <ChevronDown
          aria-hidden="true"
          size={16}
          className="pointer-events-none absolute top-4 right-3 text-muted"
        />
      </div>
    </Labelled>
  )
}

/** Which days are meant: an IANA time zone. */
export function TimeZoneSelect({ id, error, chosen, field, focus = false }: Props) {
  // The list is made once, not at each keystroke elsewhere.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const zones = useMemo(() => timeZones(chosen), [])
  return (
    <Select id={id} label={account.register.timeZone} error={error} field={field} focus={focus}>
      {zones.map((zone) => (
        <option key={zone} value={zone}>
          {zone.replaceAll('_', ' ')}
        </option>
      ))}
    </Select>
  )
}

/** Which money is meant: an ISO 4217 currency. */
export function CurrencySelect({ id, error, chosen, field }: Props) {
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const list = useMemo(() => currencies(chosen, 'en-GB'), [])
  return (
    <Select id={id} label={account.register.currency} error={error} field={field}>
      {list.map(({ code, name }) => (
        <option key={code} value={code}>
          {name}
        </option>
      ))}
    </Select>
  )
}

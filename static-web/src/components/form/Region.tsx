import { useMemo } from 'react'
import type { UseFormRegisterReturn } from 'react-hook-form'
import { currencies, timeZones } from '../../lib/region'
import { account } from '../../messages-account'
import { inputClass, Labelled, tied } from './Field'

interface Props {
  id: string
  error?: string | undefined
  chosen: string
  field: UseFormRegisterReturn
}

/** Which days are meant: an IANA time zone. */
export function TimeZoneSelect({ id, error, chosen, field }: Props) {
  // The list is made once, not at each keystroke elsewhere.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const zones = useMemo(() => timeZones(chosen), [])
  return (
    <Labelled id={id} label={account.register.timeZone} error={error}>
      <select {...tied({ id, error })} className={inputClass(error !== undefined)} {...field}>
        {zones.map((zone) => (
          <option key={zone} value={zone}>
            {zone.replaceAll('_', ' ')}
          </option>
        ))}
      </select>
    </Labelled>
  )
}

/** Which money is meant: an ISO 4217 currency. */
export function CurrencySelect({ id, error, chosen, field }: Props) {
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const list = useMemo(() => currencies(chosen, 'en-GB'), [])
  return (
    <Labelled id={id} label={account.register.currency} error={error}>
      <select {...tied({ id, error })} className={inputClass(error !== undefined)} {...field}>
        {list.map(({ code, name }) => (
          <option key={code} value={code}>
            {name}
          </option>
        ))}
      </select>
    </Labelled>
  )
}

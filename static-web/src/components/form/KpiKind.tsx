import type { UseFormRegisterReturn } from 'react-hook-form'
import { kind as text } from '../../messages-kind'
import { Labelled, Select } from '../ui'

interface Props {
  field: UseFormRegisterReturn
  error: string | undefined
}

function Choice({ label, words, field, error }: Props & { label: string; words: object }) {
  return (
    <Labelled label={label} error={error}>
      {(props) => (
        <Select {...props} {...field}>
          {Object.entries(words).map(([value, said]) => (
            <option key={value} value={value}>
              {said}
            </option>
          ))}
        </Select>
      )}
    </Labelled>
  )
}

/** How a number of one's own is written. */
export const UnitSelect = (props: Props) => (
  <Choice label={text.unit} words={text.units} {...props} />
)

/** Whether more of it is good. */
export const DirectionSelect = (props: Props) => (
  <Choice label={text.direction} words={text.directions} {...props} />
)

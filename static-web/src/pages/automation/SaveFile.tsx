import { ChevronDown, Download } from 'lucide-react'
import { useState } from 'react'
import { api, query } from '../../api/client'
import { Menu, useCloseMenu } from '../../components/Menu'
import { saveFile, sentenceOf } from '../../components/ui'
import { runs as text } from './messages'

interface Props {
  label: string
  path: string
  asked: Record<string, string>
  /** Of the file, without its end. */
  name: string
}

/** The same rows as a file, as CSV or JSON. */
export function SaveFile(props: Props) {
  const [said, setSaid] = useState('')
  return (
    <div className="flex items-center">
      <span role="status" className="max-w-64 truncate text-small text-muted max-sm:sr-only">
        {said}
      </span>
      <Menu
        align="right"
        buttonClass="tap inline-flex items-center gap-1.5 px-3 text-small font-semibold whitespace-nowrap text-accent hover:underline"
        button={
          <>
            <Download aria-hidden="true" size={16} />
            {props.label}
            <ChevronDown aria-hidden="true" size={14} />
          </>
        }
      >
        <Choices {...props} say={setSaid} />
      </Menu>
    </div>
  )
}

function Choices({ path, asked, name, say }: Props & { say: (said: string) => void }) {
  const close = useCloseMenu()
  const save = (format: 'csv' | 'json') => () => {
    close()
    say(text.saving)
    api
      .file(`${path}${query({ ...asked, format })}`)
      .then((answer) => answer.blob())
      .then(
        (file) => {
          saveFile(file, `${name}.${format}`)
          say(text.saved(`${name}.${format}`))
        },
        (error: unknown) => {
          say(sentenceOf(error))
        },
      )
  }
  return (['csv', 'json'] as const).map((format) => (
    <button
      key={format}
      type="button"
      className="tap flex w-full items-center rounded px-3 text-left hover:bg-sunken"
      onClick={save(format)}
    >
      {text[format]}
    </button>
  ))
}

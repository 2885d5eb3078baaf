import { ChevronDown, Download } from 'lucide-react'
import { useState } from 'react'
import { Menu, useCloseMenu } from './Menu'
import { saveFile, sentenceOf } from './ui'

interface Choice {
  name: string
  /** Of the file, with its end. */
  file: string
  /** Null where there is nothing to save. */
  make: () => Promise<Blob | null>
}

interface Props {
  label: string
  choices: readonly Choice[]
  text: { busy: string; done: (file: string) => string; nothing?: string }
}

/** A button that offers what is shown as files, and says what became of it. */
export function FileMenu({ label, choices, text }: Props) {
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
            {label}
            <ChevronDown aria-hidden="true" size={14} />
          </>
        }
      >
        <Choices choices={choices} text={text} say={setSaid} />
      </Menu>
    </div>
  )
}

function Choices({ choices, text, say }: Omit<Props, 'label'> & { say: (said: string) => void }) {
  const close = useCloseMenu()
  const save = ({ file: name, make }: Choice) => {
    close()
    say(text.busy)
    make().then(
      (file) => {
        if (!file) {
          say(text.nothing ?? '')
          return
        }
        saveFile(file, name)
        say(text.done(name))
      },
      (error: unknown) => {
        say(sentenceOf(error))
      },
    )
  }
  return choices.map((choice) => (
    <button
      key={choice.name}
      type="button"
      className="tap flex w-full items-center rounded px-3 text-left hover:bg-sunken"
      onClick={() => {
        save(choice)
      }}
    >
      {choice.name}
    </button>
  ))
}

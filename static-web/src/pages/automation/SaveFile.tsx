import { api, query } from '../../api/client'
import { FileMenu } from '../../components/FileMenu'
import { runs as text } from './messages'

interface Props {
  label: string
  path: string
  asked: Record<string, string>
  /** Of the file, without its end. */
  name: string
}

/** The same rows as a file, as CSV or JSON. */
export function SaveFile({ label, path, asked, name }: Props) {
  return (
    <FileMenu
      label={label}
      text={{ busy: text.saving, done: text.saved }}
      choices={(['csv', 'json'] as const).map((format) => ({
        name: text[format],
        file: `${name}.${format}`,
        make: async () => (await api.file(`${path}${query({ ...asked, format })}`)).blob(),
      }))}
    />
  )
}

import { useQueryClient } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { useDraft } from '../../components/form/useDraft'
import { api } from '../../api/client'
import type { Summary } from '../../api/types'
import type { ChartNote } from '../../components/chart/notes'
import { Dialog } from '../../components/Dialog'
import { place } from '../../components/form/problems'
import { Submit } from '../../components/form/Submit'
import { Labelled, useQuestion } from '../../components/ui'
import { metric } from '../../messages-metric'

const text = metric.note

interface Form {
  text: string
  from: string
  to: string
}

/** Writes, changes and deletes notes; what only the system knows stays as it is. */
export function useNoteEditor({ today }: Pick<Summary, 'today'>) {
  const client = useQueryClient()
  const { ask, dialog: question } = useQuestion()
  const [open, setOpen] = useState(false)
  const [at, setAt] = useState<
    ChartNote | { id: null; from: string; to: string; text: string } | null
  >(null)
  const reload = () => client.invalidateQueries({ queryKey: ['annotations'] })
  const show = (note: NonNullable<typeof at>) => {
    setAt(note)
    setOpen(true)
  }
  const close = () => {
    setOpen(false)
  }
  const dialog: ReactNode = (
    <>
      <Dialog title={at?.id ? text.editTitle : text.title} open={open} onClose={close}>
        {open && at && (
          <NoteForm
            note={at}
            today={today}
            save={async (values) => {
              await (at.id
                ? api.patch(`annotations/${at.id}`, values)
                : api.post('annotations', values))
              close()
              await reload()
            }}
          />
        )}
      </Dialog>
      {question}
    </>
  )
  const actions = (note: ChartNote) =>
    note.id === null ? null : (
      <span className="-my-3 flex shrink-0">
        <button
          type="button"
          aria-label={text.editOf(note.text)}
          className="tap px-2 text-accent hover:underline"
          onClick={() => {
            show(note)
          }}
        >
          {text.edit}
        </button>
        <button
          type="button"
          aria-label={text.removeOf(note.text)}
          className="tap px-2 text-muted hover:text-trouble"
          onClick={() => {
            ask({
              title: text.removeTitle,
              text: <p>{text.removed(note.text)}</p>,
              action: text.remove,
              danger: true,
              run: async () => {
                await api.delete(`annotations/${note.id ?? ''}`)
                await reload()
              },
            })
          }}
        >
          {text.remove}
        </button>
      </span>
    )
  return {
    dialog,
    actions,
    add: (day: string) => {
      show({ id: null, from: day, to: day, text: '' })
    },
  }
}

function NoteForm({
  note,
  today,
  save,
}: {
  note: { id: string | null; from: string; to: string; text: string }
  today: string
  save: (values: Form) => Promise<void>
}) {
  const { register, handleSubmit, setError, getValues, formState } = useDraft<Form>(
    `note:${note.id ?? note.from}`,
    {
      defaultValues: { text: note.text, from: note.from, to: note.to },
    },
  )
  const { errors, isSubmitting } = formState
  return (
    <form
      noValidate
      className="space-y-4"
      onSubmit={(event) =>
        void handleSubmit(async (values) => {
          try {
            await save(values)
          } catch (error) {
            place(error, setError, text.fields)
          }
        })(event)
      }
    >
      <Labelled label={text.text} hint={text.hint} error={errors.text?.message}>
        {(props) => (
          <textarea
            {...props}
            className={`${props.className} h-auto py-2`}
            rows={3}
            // The one thing to write here.
            // eslint-disable-next-line jsx-a11y/no-autofocus
            autoFocus
            {...register('text', {
              validate: (value) =>
                value.trim() === '' ? text.empty : value.trim().length > 280 ? text.long : true,
            })}
          />
        )}
      </Labelled>
      <div className="grid gap-4 sm:grid-cols-2">
        <Labelled label={text.from} error={errors.from?.message}>
          {(props) => (
            <input
              {...props}
              type="date"
              max={today}
              {...register('from', { required: metric.days.missing })}
            />
          )}
        </Labelled>
        <Labelled label={text.to} error={errors.to?.message}>
          {(props) => (
            <input
              {...props}
              type="date"
              {...register('to', {
                required: metric.days.missing,
                validate: (value) => value >= getValues('from') || metric.days.after,
              })}
            />
          )}
        </Labelled>
      </div>
      <Submit error={errors.root?.message} busy={isSubmitting} busyText={text.saving}>
        {note.id ? text.change : text.save}
      </Submit>
    </form>
  )
}

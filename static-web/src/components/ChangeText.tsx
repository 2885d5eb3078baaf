import type { Change, Tone } from '../lib/change'

const tones: Record<Tone, string> = {
  good: 'text-good',
  bad: 'text-attention',
  plain: 'text-muted',
}

/** An arrow, the change and, for those who hear it, what it is compared with and whether that is good. */
export function ChangeText({ change }: { change: Change }) {
  const withheld = change.sign === null
  return (
    <span
      data-tone={change.tone}
      className={`num relative inline-flex items-center gap-1 whitespace-nowrap ${tones[change.tone]}`}
    >
      {change.sign === 1 && <Arrow up />}
      {change.sign === -1 && <Arrow />}
      <span aria-hidden="true">{change.text}</span>
      <span className="sr-only">{change.spoken}</span>
      {withheld && (
        <span aria-hidden="true" className="tip">
          {change.spoken}
        </span>
      )}
    </span>
  )
}

function Arrow({ up = false }: { up?: boolean }) {
  return (
    <svg aria-hidden="true" viewBox="0 0 8 7" className="h-[7px] w-2 shrink-0 fill-current">
      <path d={up ? 'M4 0 8 7H0z' : 'M4 7 0 0h8z'} />
    </svg>
  )
}

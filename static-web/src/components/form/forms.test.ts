import { describe, expect, it } from 'vitest'

const sources = import.meta.glob<string>(['../../**/*.tsx', '!../../**/*.test.tsx'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** Who is not signed in has no place where a draft could be kept, and types little but secrets. */
const open = [
  'sign-in',
  'register',
  'forgot-password',
  'reset-password',
  'verify-email',
  'invitation',
  'second-factor',
  // The operators' key: no person is signed in there.
  'ops',
].map((page) => `../../pages/${page}/`)

/** Forms in which nothing can be lost that anybody would type again with regret: how many of a file, and why. */
const spared: Record<string, readonly [forms: number, why: string]> = {
  '../ConfirmIdentity.tsx': [
    1,
    'A password or a code, typed to go on: what it is typed for stands in its own form below.',
  ],
  '../ui.tsx': [1, 'The name of what is to be deleted: typing it anew is what it is for.'],
  '../../pages/integrations/Detail.tsx': [
    1,
    'How a source is disconnected: nothing is typed, and what deletes numbers is chosen anew each time.',
  ],
}

const behind = Object.entries(sources).filter(
  ([path]) => !open.some((page) => path.startsWith(page)),
)
const count = (source: string, what: RegExp) => [...source.matchAll(what)].length
/** Each use once, an import not. */
const guards = (source: string) =>
  count(source, /\b(?:useDraft|useKept|useUnsaved)\s*(?:<|\()/g) + count(source, /\bannounce\(/g)

/** Inputs that people type into; searches lose nothing, days of a filter are in effect at once, and what only shows cannot be lost. */
const typed = (source: string) =>
  [...source.matchAll(/<(?:input|textarea)\b(?:[^>]|=>)*>/g)].filter(
    ([tag]) =>
      !/type="(?:search|checkbox|radio|file|hidden|date)"|\shidden\b|\sreadOnly\b/.test(tag ?? ''),
  )

describe('what is typed behind the sign-in', () => {
  it('is looked at in all sources', () => {
    expect(behind.length).toBeGreaterThan(60)
    expect(behind.filter(([, source]) => source.includes('<form')).length).toBeGreaterThan(15)
    for (const [path, [forms]] of Object.entries(spared))
      expect(count(sources[path] ?? '', /<form\b/g), path).toBeGreaterThanOrEqual(forms)
  })

  it.each(behind.filter(([, source]) => source.includes('<form')))(
    'is kept or asked for: each form of %s',
    (path, source) => {
      expect(guards(source), path).toBeGreaterThanOrEqual(
        count(source, /<form\b/g) - (spared[path]?.[0] ?? 0),
      )
    },
  )

  it('is kept or asked for where there is no form around it, too', () => {
    // Fields that a form in another file brings along.
    const parts = [
      './Field.tsx',
      '../../pages/calculated/FormulaField.tsx',
      '../../pages/settings/Combo.tsx',
    ]
    const bare = behind.filter(
      ([path, source]) =>
        !parts.includes(path) &&
        !(path in spared) &&
        typed(source).length > 0 &&
        guards(source) === 0,
    )
    expect(bare.map(([path]) => path)).toEqual([])
  })
})

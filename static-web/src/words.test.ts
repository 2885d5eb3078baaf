import { expect, it } from 'vitest'

const files = import.meta.glob<string>(['./messages*.ts', './pages/**/messages.ts'], {
  query: '?raw',
  import: 'default',
  eager: true,
})

/** What only those who made it say, and what a shopkeeper is told in its place. */
const ours: readonly (readonly [RegExp, string])[] = [
  [/\bg(?:iven|ave|ives|iving) up\b/i, 'stopped trying'],
  [/\bthresholded\b/i, 'small figures withheld'],
  [/\bthree clocks\b/i, 'how fresh it is'],
  [/\blast full day\b/i, 'last complete day'],
  [/\bROI\b/i, 'return'],
  [/\bnot checked\b/i, 'we cannot tell yet'],
  [/\bLook at it\b/, 'what is to be done'],
  [/\b(?:backfill|idempoten|payload|dead letter)/i, 'plain words'],
]

/** Words for people: strings, with what is put into them left out, and no keys. */
const sentences = (source: string) =>
  [
    ...source
      .replaceAll(/\/\*[^]*?\*\/|(?<!:)\/\/[^\n]*/g, '')
      .matchAll(/'((?:[^'\\\n]|\\.)*)'|`((?:[^`\\]|\\.)*)`/g),
  ]
    .map(([, plain, made]) => (plain ?? made ?? '').replaceAll(/\$\{[^}]*\}/g, '…'))
    .filter((text) => text.includes(' ') || /^[A-Z]/.test(text))

it('finds the sentences of the messages', () => {
  expect(Object.keys(files).length).toBeGreaterThan(14)
  expect(Object.values(files).flatMap(sentences).length).toBeGreaterThan(1500)
  expect(sentences("a: 'Given up', b: `It ${x.roi} gave up.`, // given up")).toEqual([
    'Given up',
    'It … gave up.',
  ])
})

it('says what happens in words that a shopkeeper uses', () => {
  const found = Object.entries(files).flatMap(([path, source]) =>
    sentences(source).flatMap((text) =>
      ours
        .filter(([word]) => word.test(text))
        .map(([, instead]) => `${path}: “${text}” (${instead})`),
    ),
  )
  expect(found).toEqual([])
})

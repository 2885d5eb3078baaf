/**
 * How numbers, days and amounts are written on a page whose words are English: as the viewer's browser has it, as long as that is written
 * with Latin letters
 * ("1.234,5 €", "Fr, 27. Nov."). Of another script only the region is kept ("en-EG", "en-IN"): digits, month names and signs of that
 * script inside an English
 * sentence are read by nobody, and right-to-left ones turn the sentence around.
 */
export function shownLocale(preferred: string | undefined): string | undefined {
  if (!preferred) return undefined
  try {
    const { script, region } = new Intl.Locale(preferred).maximize()
    if (script === 'Latn') return withLatinDigits(preferred)
    return region ? `en-${region}` : 'en'
  } catch {
    // Not a language tag: whatever the browser takes by itself.
    return undefined
  }
}

/** A tag may ask for digits and a calendar of its own ("de-u-nu-arab", Thailand's years): both are the page's. */
function withLatinDigits(tag: string): string {
  return new Intl.Locale(tag, { numberingSystem: 'latn', calendar: 'gregory' }).toString()
}

/** Of this browser. */
export const locale = typeof navigator === 'undefined' ? undefined : shownLocale(navigator.language)

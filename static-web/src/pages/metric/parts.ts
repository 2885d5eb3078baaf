import type { Provenance } from '../../api/types'

type Part = Provenance['parts'][number]

/** What a provider said about how it counted, over all requests of a part. */
export function flagsOf(part: Pick<Part, 'requests'>) {
  return {
    sampled: part.requests.some((one) => one.sampled),
    thresholded: part.requests.some((one) => one.thresholded),
  }
}

/** A request as people can read it: JSON with line ends, or as it came. */
export function readable(request: string): string {
  try {
    return JSON.stringify(JSON.parse(request), null, 2)
  } catch {
    return request
  }
}

// What the page of insights says. Not part of the first load.
import { listed, stop } from './messages'

export const insights = {
  title: 'Insights',
  health: 'Business health',
  asOf: (day: string) => `The seven days up to ${stop(day)}`,
  of: (word: string | null, without: readonly string[]) =>
    `of 100${word ? `, ${word}` : ''}${without.length > 0 ? `, without ${listed(without)}` : ''}`,
  change: (change: number | null, previous: number | null, part?: string) =>
    change === null
      ? previous === null
        ? 'There is no score of the week before.'
        : `The week before it was ${previous}, made of other parts, so the two are not compared.`
      : change === 0
        ? 'The same as the week before.'
        : `${change > 0 ? 'Up' : 'Down'} ${Math.abs(change)} on the week before${part ? `, mostly ${part.toLowerCase()}` : ''}.`,
  points: (score: number) => `${score} of 100`,
  leftOut: 'left out',
  weight: (share: string) => `weighs ${share}`,
  sum: 'Together',
  arithmetic: (terms: string[], score: number, holds: boolean) =>
    `${terms.join(' + ')} ${holds ? '=' : '≈'} ${score}`,

  list: 'What stands out',
  listLead: 'Trouble first, then by the money at stake.',
  none: 'Nothing stands out in this period.',
  severity: {
    trouble: 'Trouble',
    attention: 'Worth a look',
    good: 'Went well',
    info: 'Good to know',
  },
  stake: (money: string) => `${money} at stake`,
  evidence: 'What it rests on',
  look: (path: string, rule: string) =>
    rule === 'minutes_missing'
      ? 'Set the minutes'
      : path.startsWith('/integrations')
        ? 'Open the source'
        : path.startsWith('/automation')
          ? 'See the workflows'
          : path.startsWith('/goals')
            ? 'See the goal'
            : path.startsWith('/settings')
              ? 'Change the setting'
              : 'See the numbers',
  chart: (kpi: string) => `Chart of ${kpi}`,
  dismiss: 'Dismiss',
  dismissOf: (text: string) => `Dismiss: ${text}`,
  snooze: 'Snooze',
  snoozeOf: (text: string) => `Snooze: ${text}`,
  snoozeFor: 'Show it again',
  days: { 1: 'Tomorrow', 7: 'In a week', 30: 'In 30 days', 90: 'In 90 days' } as Record<
    number,
    string
  >,
  dismissed: 'Dismissed until it says something else.',
  snoozed: (day: string) => `Put aside until ${day}, or until it says something else.`,
  undo: 'Undo',
  aside: 'Put aside',
  asideLead: 'Each comes back when it says something else.',
  show: 'Show it again',
  showOf: (text: string) => `Show again: ${text}`,
}

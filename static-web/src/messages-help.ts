// What the help says. Not part of the first load. What each KPI means comes from the catalogue of the API.
export const help = {
  title: 'Help',
  lead: 'How to read the numbers, and what every one of them means.',
  clocks: {
    title: 'How fresh a number is',
    lead: 'Of every source the overview says when we last asked it, up to which day its numbers are complete, and up to which day they will not change any more.',
    list: [
      {
        name: 'Fetched',
        text: 'When we last read the source. A late reading is made up for by itself.',
      },
      {
        name: 'Complete through',
        text: 'The last day that the source has in full. Today is never complete, so periods end with the last complete day; of automations, Today shows what ran so far.',
      },
      {
        name: 'Final through',
        text: 'Until this day nothing changes any more. Google Analytics, for example, still corrects its last days; we read them again and show what changed.',
      },
    ],
  },
  states: {
    title: 'What the states mean',
    list: [
      { key: 'final', text: 'The source does not change this day any more.' },
      {
        key: 'provisional',
        text: 'The source may still correct it. Such days are hatched in charts, and the line to them is dotted.',
      },
      {
        key: 'partial',
        text: 'Days of the period have no data, or it is not over yet. The value counts what is there. Its change is of the days that both periods have, with how many; of too few, none is shown.',
      },
      {
        key: 'missing',
        text: 'Nothing is known. Charts show a gap, never a zero.',
      },
      {
        key: 'not_measurable',
        text: 'It cannot be computed, for example because there is nothing to divide by. A dash stands in its place, with the reason.',
      },
    ],
  },
  changes: {
    title: 'How numbers are compared',
    list: [
      'The previous period has as many days and ends the day before. Last year is the same weekdays, 52 weeks before, for one, 7 and 28 days, and the same dates for everything else; 29 February is beside 28 February.',
      'Rates, such as the conversion rate, move in points (pt), everything else in per cent.',
      'Where days are missing, a change compares the days that both periods have, weekday by weekday, and says how many these are. A percentage is left out where it would mislead: these days are too few, nothing is there to compare with, or it was 0 before.',
      'Rates are never averaged: those of a week or month are computed from the sums of their parts. People are never added up over days, because the same may come again.',
    ],
  },
  breakdowns: {
    title: 'How numbers divide',
    list: [
      'Visits and what comes of them are known by channel, device, country and landing page. People are not: one may come in several ways.',
      '“Everything else” is the whole less what is listed. It holds what Google did not tell apart, for example rows of few people, and the smaller values.',
      '≥ means at least: on some days the value was not among the 50 largest, or Google left it out. No percentage is made of it.',
      'Pages are kept without what follows a question mark, and without e-mail addresses.',
    ],
  },
  marks: {
    title: 'Marks on charts',
    note: 'A note that someone of the business wrote.',
    system:
      'Something that the system found: days without data, a failing workflow, values that a source changed later.',
    unusual: 'A value out of the ordinary; the insight says how far.',
  },
  shortcuts: 'Keyboard',
  kpis: {
    title: 'Every number',
    find: 'Find a number',
    formula: 'Computed as',
    none: (typed: string) => `No number is called “${typed}”.`,
    sources: {
      'google-analytics': 'Google Analytics',
      n8n: 'n8n',
      business: 'All sources together',
      custom: 'Pushed or imported',
      push: 'Pushed or imported',
      calculated: 'Calculated by you',
    } as Partial<Record<string, string>>,
  },
}

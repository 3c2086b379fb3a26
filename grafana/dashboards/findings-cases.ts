import { agentLink, type CellLink, rowLink, sessionLink } from '../links.ts';
import {
  agoColumns,
  column,
  countColumns,
  hiddenColumns,
  levelColumn,
  row,
  tablePanel,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';

/** Colours of what people say that findings and cases are. */
export const markColours = { 'true-positive': 'red', 'false-positive': 'green', benign: 'blue' };

const noCase =
  'No case is chosen: follow a headline above, or paste its id into Case. A chosen case that stays empty has been dropped by the ' +
  'retention of findings.';

/** Cases to choose from, on top of the board. */
export function casesPanel({ link }: { readonly link: CellLink }) {
  return tablePanel({
    id: 13,
    title: 'Cases',
    description:
      'Findings that belong together, in one sentence each, under the status, level and agent above: open ones whatever the time ' +
      'range, closed ones with a finding in it. Follow a headline to see the whole case below; `spanwarden cases close` closes it.',
    query: 'findings/cases',
    gridPos: { x: 0, y: 0, w: 24, h: 9 },
    noValue:
      'No case of this status, level and agent: nothing of at least medium fired, or every case has been closed; Cases above shows ' +
      'closed ones too.',
    overrides: [
      wordColumn('Status', { open: 'orange', closed: 'green' }, { 'custom.width': 80 }),
      levelColumn('Level'),
      column('Headline', { links: [link], 'custom.cellOptions': { type: 'auto', wrapText: true } }),
      ...agoColumns('First seen', 'Last seen'),
      ...countColumns('Findings', 'Rules'),
      column('Agents', { 'custom.width': 180 }),
      wordColumn('Disposition', markColours, { 'custom.width': 120 }),
      // No links here: the data source adds View trace and View logs to a column of this name.
      column('TraceId', { 'custom.width': 120 }),
      column('Case', { links: [link], 'custom.width': 120 }),
    ],
  });
}

/** The chosen case: what it is, its findings in order, what its rules say, and what people did. */
export function casePanels({ trace, rule }: { readonly trace: CellLink; readonly rule: CellLink }) {
  return [
    row(16, 'The case ${case_id}', 9),
    tablePanel({
      id: 17,
      title: 'What it is',
      description:
        'The case that is named under Case above, in one line; raised by says why its level is above that of every finding.',
      query: 'findings/case',
      gridPos: { x: 0, y: 10, w: 24, h: 5 },
      noValue: noCase,
      overrides: [
        wordColumn('Status', { open: 'orange', closed: 'green' }, { 'custom.width': 80 }),
        levelColumn('Level'),
        ...wrappedColumns('Headline', 'Raised by'),
        ...['First seen', 'Last seen'].map((name) => column(name, { unit: 'dateTimeAsIso', 'custom.width': 155 })),
        ...['Agents', 'Users'].map((name) => column(name, { 'custom.width': 120 })),
        ...countColumns('Findings', 'Times', 'Sessions', 'Traces'),
        wordColumn('Disposition', markColours, { 'custom.width': 105 }),
        ...hiddenColumns('Case'),
      ],
    }),
    tablePanel({
      id: 18,
      title: 'What happened',
      description:
        'Its findings in order, the worst 64 of them: what the rule saw and on what. Follow a finding to see its trace below or its ' +
        'whole session.',
      query: 'findings/case-timeline',
      gridPos: { x: 0, y: 15, w: 24, h: 10 },
      noValue: noCase,
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        levelColumn('Level'),
        column('Finding', { links: [trace, sessionLink()], 'custom.width': 300 }),
        column('Agent', { links: [agentLink()], 'custom.width': 150 }),
        column('On', { 'custom.width': 180 }),
        ...wrappedColumns('What matched'),
        ...countColumns('Times'),
        column('Session', { links: [sessionLink()], 'custom.width': 150 }),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
    ...saidPanels(rule),
  ];
}

function saidPanels(rule: CellLink) {
  return [
    tablePanel({
      id: 19,
      title: 'What its rules say',
      description:
        'Rules with findings in the case, the worst first. Follow a rule to see all that it found, or how it fares.',
      query: 'findings/case-votes',
      gridPos: { x: 0, y: 25, w: 12, h: 9 },
      noValue: noCase,
      overrides: [
        levelColumn('Level'),
        column('Rule', { links: [rule, rowLink('Open the rule', 'spanwarden-rules', { rule: 'Rule id' })] }),
        ...countColumns('Findings', 'Times'),
        ...hiddenColumns('Rule id'),
      ],
    }),
    tablePanel({
      id: 20,
      title: 'What people did',
      description:
        'Closings and openings of the case and of those that have become part of it, with the reason and by whom.',
      query: 'findings/case-events',
      gridPos: { x: 12, y: 25, w: 12, h: 9 },
      noValue: 'Nobody has done anything about the case: spanwarden cases close <id> does. Or none is chosen above.',
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        column('Did', { 'custom.width': 80 }),
        wordColumn('Disposition', markColours, { 'custom.width': 120 }),
        ...wrappedColumns('Reason'),
        column('By', { 'custom.width': 120 }),
        ...countColumns('Findings then'),
      ],
    }),
  ];
}

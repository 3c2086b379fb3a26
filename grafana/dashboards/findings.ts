import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf, findingMarks } from '../dashboard.ts';
import { agentLink, boardsMenu, fieldOf, rowLink, sessionLink } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  hiddenColumns,
  levelColumn,
  levelFigureColours,
  levelSeriesColours,
  orDash,
  row,
  statPanel,
  tablePanel,
  tracePanel,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { adHocVariables, customVariable, queryVariable, textVariable } from '../variables.ts';
import { casePanels, casesPanel, markColours } from './findings-cases.ts';

const uid = 'spanwarden-findings';
const filterVariables = ['status', 'severity', 'rule', 'agent', 'tool'];

const noFinding =
  'No finding in this time range that passes the filters above. “What is watched” says whether spans arrive at all.';
const noTrace =
  'No trace is chosen: follow “Show its trace below” on a finding above, or paste a trace id into Trace. A chosen trace ' +
  'that stays empty has been dropped by the retention of spans, which is shorter than that of findings.';

/** For a security engineer or analyst: which case to take up, what happened in it, and every finding with the trace it fired on. */
export function findingsDashboard(): Dashboard {
  return dashboardOf({
    uid,
    title: 'Cases & findings',
    description: 'What happened, on which agent and tool, why the rules say so, and what people did about it.',
    links: [boardsMenu()],
    annotations: [findingMarks('High and critical findings', 'findings/annotation-severe')],
    variables: variables(),
    panels: [
      casesPanel({ link: chosenLink('Show the case below', 'case_id', 'Case') }),
      ...casePanels({
        trace: chosenLink('Show its trace below', 'trace_id', 'TraceId'),
        rule: chosenLink('Only this rule', 'rule', 'Rule id'),
      }),
      ...overviewPanels(),
      ...byWhatPanels(),
      ...listPanels(),
      ...tracePanels(),
      ...rulePanels(),
    ],
  });
}

function variables() {
  return [
    customVariable({ name: 'status', label: 'Cases', description: 'Cases that are open, closed, or both.' }, [
      ['open', 'open'],
      ['closed', 'closed'],
      ['any', 'any'],
    ]),
    customVariable(
      { name: 'severity', label: 'At least', description: 'Cases and findings of this level and above.' },
      [
        ['informational', '1'],
        ['low', '2'],
        ['medium', '3'],
        ['high', '4'],
        ['critical', '5'],
      ],
    ),
    queryVariable({ name: 'rule', label: 'Rule', description: 'Rule that fired.', query: 'findings/variable-rule' }),
    queryVariable({
      name: 'agent',
      label: 'Agent',
      description: 'Agent the case or finding is about; an agent without a name goes by its service.',
      query: 'findings/variable-agent',
    }),
    queryVariable({
      name: 'tool',
      label: 'Tool',
      description: 'Tool whose call the finding is about.',
      query: 'findings/variable-tool',
    }),
    ...adHocVariables('findings/ad-hoc-values'),
    textVariable({ name: 'case_id', label: 'Case', description: 'Id of the case that is shown whole, 32 hex digits.' }),
    textVariable({ name: 'trace_id', label: 'Trace', description: 'Id of the trace that is shown, 32 hex digits.' }),
  ];
}

function overviewPanels() {
  return [
    row(1, 'What fired', 34),
    statPanel({
      id: 2,
      title: 'Findings by level',
      description: 'How many findings of each level the rules made in this time range, under the filters above.',
      query: 'findings/by-level',
      gridPos: { x: 0, y: 35, w: 16, h: 5 },
      noValue: noFinding,
      colorMode: BigValueColorMode.Value,
      overrides: levelFigureColours(),
    }),
    statPanel({
      id: 3,
      title: 'What is watched',
      description:
        'Spans, the services and named agents they came from, and the newest of them in this time range, whatever the ' +
        'filters. Without spans the absence of findings means nothing.',
      query: 'findings/watched',
      gridPos: { x: 16, y: 35, w: 8, h: 5 },
      noValue: 'None in this time range: does an agent send to this collector?',
      colorMode: BigValueColorMode.None,
      overrides: [column('last span', { unit: 'dateTimeFromNow' })],
    }),
    barsPanel({
      id: 4,
      title: 'Findings over time',
      description:
        'Findings by the time of the span they are about, coloured by level. High and critical ones are marked.',
      query: 'findings/timeline',
      gridPos: { x: 0, y: 40, w: 24, h: 7 },
      noValue: noFinding,
      overrides: levelSeriesColours(),
    }),
  ];
}

function byWhatPanels() {
  return [
    tablePanel({
      id: 5,
      title: 'By rule',
      description: 'Rules that fired, the most severe first. Follow a rule to filter by it.',
      query: 'findings/by-rule',
      gridPos: { x: 0, y: 47, w: 10, h: 8 },
      noValue: noFinding,
      overrides: [
        levelColumn('Level'),
        column('Rule', { links: [chosenLink('Only this rule', 'rule', 'Rule id')] }),
        ...countColumns('Findings', 'Traces'),
        ...agoColumns('Last seen'),
        ...hiddenColumns('Rule id'),
      ],
    }),
    tablePanel({
      id: 6,
      title: 'By agent',
      description:
        'Agents with findings; severe are those of level high and critical. Follow an agent to filter by it.',
      query: 'findings/by-agent',
      gridPos: { x: 10, y: 47, w: 7, h: 8 },
      noValue: noFinding,
      overrides: [
        column('Agent', { links: [chosenLink('Only this agent', 'agent', 'Agent'), agentLink()] }),
        ...countColumns('Severe', 'Findings', 'Rules'),
        ...agoColumns('Last seen'),
      ],
    }),
    tablePanel({
      id: 7,
      title: 'By tool',
      description:
        'Tools whose calls made rules fire; severe are findings of level high and critical. Findings on prompts and ' +
        'answers name no tool and are not counted here. Follow a tool to filter by it.',
      query: 'findings/by-tool',
      gridPos: { x: 17, y: 47, w: 7, h: 8 },
      noValue: `${noFinding} Findings on prompts and answers name no tool.`,
      overrides: [
        column('Tool', { links: [chosenLink('Only this tool', 'tool', 'Tool')] }),
        ...countColumns('Severe', 'Findings', 'Rules'),
        ...agoColumns('Last seen'),
      ],
    }),
  ];
}

function listPanels() {
  return [
    row(8, 'Findings', 55),
    tablePanel({
      id: 9,
      title: 'Findings, newest first',
      description:
        'The 500 newest findings: why the rule fired, what in the span made it match, and what somebody marked it as. Follow the ' +
        'name of a finding to see its trace below or its whole session; follow its trace id to open the trace or its logs in Explore.',
      query: 'findings/list',
      gridPos: { x: 0, y: 56, w: 24, h: 13 },
      noValue: noFinding,
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        levelColumn('Level'),
        column('Finding', {
          links: [chosenLink('Show its trace below', 'trace_id', 'TraceId'), sessionLink()],
          'custom.width': 260,
        }),
        column('Agent', { links: [agentLink()], 'custom.width': 150 }),
        column('Tool', { 'custom.width': 150 }),
        column('Why', { 'custom.width': 380, 'custom.cellOptions': { type: 'auto', wrapText: true } }),
        column('What matched', { 'custom.width': 420, 'custom.cellOptions': { type: 'auto', wrapText: true } }),
        ...countColumns('Times'),
        wordColumn('Marked', markColours, { 'custom.width': 110 }),
        // No links here: the data source adds View trace and View logs to a column of this name.
        column('TraceId', { 'custom.width': 290 }),
        column('Session', { links: [sessionLink()], 'custom.width': 150 }),
      ],
    }),
    tablePanel({
      id: 22,
      title: 'What people said about findings',
      description:
        'Marks of this time range, the newest first: by `spanwarden findings mark`. Many false positives of a rule say that it wants ' +
        'tuning.',
      query: 'findings/marks',
      gridPos: { x: 0, y: 69, w: 24, h: 7 },
      noValue: 'Nobody marked a finding in this time range, under the rule above: spanwarden findings mark <id> does.',
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        wordColumn('Disposition', markColours, { 'custom.width': 120 }),
        column('Finding', { links: [chosenLink('Show its trace below', 'trace_id', 'TraceId')], 'custom.width': 260 }),
        column('Agent', { links: [agentLink()], 'custom.width': 150 }),
        ...wrappedColumns('Reason'),
        column('By', { 'custom.width': 120 }),
        column('TraceId', { 'custom.width': 290 }),
        ...hiddenColumns('Rule id'),
      ],
    }),
  ];
}

function tracePanels() {
  return [
    row(10, 'The trace', 76),
    tracePanel({
      id: 11,
      title: 'Trace ${trace_id}',
      description: `All spans of the trace that is named under Trace above. ${noTrace}`,
      query: 'findings/trace',
      gridPos: { x: 0, y: 77, w: 24, h: 15 },
      noValue: noTrace,
    }),
    tablePanel({
      id: 12,
      title: 'Its spans in order',
      description:
        'What the agent did, in order, with the arguments of tool calls and the rules that fired on each span.',
      query: 'findings/trace-spans',
      gridPos: { x: 0, y: 92, w: 24, h: 10 },
      noValue: noTrace,
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        column('Duration', { unit: 'ns', 'custom.width': 110 }),
        ...wrappedColumns('Arguments'),
        column('Fired', {
          color: { mode: 'fixed', fixedColor: 'red' },
          'custom.cellOptions': { type: 'color-text' },
        }),
      ],
    }),
  ];
}

function rulePanels() {
  const cost = column('Cost a span', { unit: 'µs', decimals: 1, 'custom.width': 110, ...orDash });
  return [
    row(14, 'Rules', 102),
    tablePanel({
      id: 15,
      title: 'Rule health',
      description:
        'What each rule saw in this time range, by the hour: spans of its logsource, those it was asked about, matches, and ' +
        'what suppressions took of them. A rule that threw or took too long is disabled until the rules are loaded again. ' +
        'Whether a rule can fire at all, spanwarden rules status knows.',
      query: 'findings/rules',
      gridPos: { x: 0, y: 103, w: 24, h: 12 },
      noValue: 'No counters in this time range. A collector writes them every minute: does one run?',
      overrides: [
        wordColumn('State', stateColours, { 'custom.width': 140 }),
        ...countColumns('Spans', 'Candidates', 'Matches', 'Suppressed', 'Errors'),
        cost,
        ...agoColumns('Last match'),
        ...wrappedColumns('Why'),
        ...hiddenColumns('Rule id'),
        column('Rule', { links: [rowLink('Open the rule', 'spanwarden-rules', { rule: 'Rule id' })] }),
      ],
    }),
  ];
}

const stateColours = {
  active: 'text',
  'no spans': 'yellow',
  unknown: 'text',
  disabled: 'red',
  'newest set refused': 'red',
};

/** Sets a variable to the cell's row and keeps what else is chosen. */
function chosenLink(title: string, variable: string, from: string) {
  const kept = ['datasource', ...filterVariables, 'case_id', 'trace_id'].filter((name) => name !== variable);
  const parts = kept.map((name) => `\${${name}:queryparam}`);
  return { title, url: `/d/${uid}?\${__url_time_range}&${parts.join('&')}&var-${variable}=${fieldOf(from)}` };
}

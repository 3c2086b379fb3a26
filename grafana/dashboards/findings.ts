import { type AnnotationQuery, BigValueColorMode, type Dashboard, DashboardCursorSync } from '@grafana/schema';
import {
  barsPanel,
  column,
  levelColumn,
  levelFigureColours,
  levelSeriesColours,
  row,
  statPanel,
  tablePanel,
  tracePanel,
} from '../panels.ts';
import { type ClickHouseQuery, clickHouseQuery, dataSource } from '../query.ts';
import { adHocVariables, customVariable, dataSourceVariable, queryVariable, textVariable } from '../variables.ts';

const uid = 'spanwarden-findings';
const filterVariables = ['severity', 'rule', 'agent', 'tool'];

const noFinding =
  'No finding in this time range that passes the filters above. “What is watched” says whether spans arrive at all.';
const noTrace =
  'No trace is chosen: follow “Show its trace below” on a finding above, or paste a trace id into Trace. A chosen trace ' +
  'that stays empty has been dropped by the retention of spans, which is shorter than that of findings.';

/** For a security engineer or analyst: what fired, where, why, and the trace it fired on. */
export function findingsDashboard(): Dashboard {
  return {
    uid,
    title: 'Spanwarden: Findings',
    description: 'What fired, on which agent and tool, why, and the trace it fired on.',
    tags: ['spanwarden'],
    // Read by Grafana 11.6 and migrated by every newer one.
    schemaVersion: 39,
    id: null,
    editable: true,
    graphTooltip: DashboardCursorSync.Off,
    refresh: '1m',
    time: { from: 'now-24h', to: 'now' },
    timepicker: {},
    timezone: '',
    links: [],
    annotations: { list: [severeFindings()] },
    templating: {
      list: [
        dataSourceVariable('spanwarden-sql', 'Spanwarden'),
        customVariable({ name: 'severity', label: 'At least', description: 'Findings of this level and above.' }, [
          ['informational', '1'],
          ['low', '2'],
          ['medium', '3'],
          ['high', '4'],
          ['critical', '5'],
        ]),
        queryVariable({
          name: 'rule',
          label: 'Rule',
          description: 'Rule that fired.',
          query: 'findings/variable-rule',
        }),
        queryVariable({
          name: 'agent',
          label: 'Agent',
          description: 'Agent the finding is about; an agent without a name goes by its service.',
          query: 'findings/variable-agent',
        }),
        queryVariable({
          name: 'tool',
          label: 'Tool',
          description: 'Tool whose call the finding is about.',
          query: 'findings/variable-tool',
        }),
        ...adHocVariables('findings/ad-hoc-values'),
        textVariable({
          name: 'trace_id',
          label: 'Trace',
          description: 'Id of the trace shown at the bottom, 32 hex digits.',
        }),
      ],
    },
    panels: [
      ...overviewPanels(),
      openCasesPanel(),
      ...byWhatPanels(),
      ...listPanels(),
      ...tracePanels(),
      ...rulePanels(),
    ],
  };
}

function overviewPanels() {
  return [
    row(1, 'What fired', 0),
    statPanel({
      id: 2,
      title: 'Findings by level',
      description: 'How many findings of each level the rules made in this time range, under the filters above.',
      query: 'findings/by-level',
      gridPos: { x: 0, y: 1, w: 16, h: 5 },
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
      gridPos: { x: 16, y: 1, w: 8, h: 5 },
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
      gridPos: { x: 0, y: 6, w: 24, h: 7 },
      noValue: noFinding,
      overrides: levelSeriesColours(),
    }),
  ];
}

function openCasesPanel() {
  return tablePanel({
    id: 13,
    title: 'Open cases',
    description:
      'Findings that belong together, as one sentence each, for the severity and the agent above. Follow a headline to see ' +
      'a trace of it below; `spanwarden cases show` tells the whole case, `spanwarden cases close` closes it.',
    query: 'findings/open-cases',
    gridPos: { x: 0, y: 13, w: 24, h: 7 },
    noValue: 'No open case in this time range: nothing of at least medium fired, or every case has been closed.',
    overrides: [
      column('Last seen', { unit: 'dateTimeFromNow', 'custom.width': 130 }),
      levelColumn('Level'),
      column('Headline', { links: [traceLink()], 'custom.cellOptions': { type: 'auto', wrapText: true } }),
      column('Agents', { 'custom.width': 180 }),
      ...countColumns('Findings', 'Rules'),
      // No links here: the data source adds View trace and View logs to a column of this name.
      column('TraceId', { 'custom.width': 290 }),
      column('Case', { 'custom.width': 290 }),
    ],
  });
}

function byWhatPanels() {
  return [
    tablePanel({
      id: 5,
      title: 'By rule',
      description: 'Rules that fired, the most severe first. Follow a rule to filter by it.',
      query: 'findings/by-rule',
      gridPos: { x: 0, y: 20, w: 10, h: 8 },
      noValue: noFinding,
      overrides: [
        levelColumn('Level'),
        column('Rule', { links: [filterLink('rule', 'Rule id')] }),
        ...countColumns('Findings', 'Traces'),
        lastSeenColumn(),
      ],
    }),
    tablePanel({
      id: 6,
      title: 'By agent',
      description:
        'Agents with findings; severe are those of level high and critical. Follow an agent to filter by it.',
      query: 'findings/by-agent',
      gridPos: { x: 10, y: 20, w: 7, h: 8 },
      noValue: noFinding,
      overrides: [
        column('Agent', { links: [filterLink('agent', 'Agent')] }),
        ...countColumns('Severe', 'Findings', 'Rules'),
        lastSeenColumn(),
      ],
    }),
    tablePanel({
      id: 7,
      title: 'By tool',
      description:
        'Tools whose calls made rules fire; severe are findings of level high and critical. Findings on prompts and ' +
        'answers name no tool and are not counted here. Follow a tool to filter by it.',
      query: 'findings/by-tool',
      gridPos: { x: 17, y: 20, w: 7, h: 8 },
      noValue: `${noFinding} Findings on prompts and answers name no tool.`,
      overrides: [
        column('Tool', { links: [filterLink('tool', 'Tool')] }),
        ...countColumns('Severe', 'Findings', 'Rules'),
        lastSeenColumn(),
      ],
    }),
  ];
}

function listPanels() {
  return [
    row(8, 'Findings', 28),
    tablePanel({
      id: 9,
      title: 'Findings, newest first',
      description:
        'The 500 newest findings: why the rule fired and what in the span made it match. Follow the name of a finding to ' +
        'see its trace below; follow its trace id to open the trace or its logs in Explore.',
      query: 'findings/list',
      gridPos: { x: 0, y: 29, w: 24, h: 13 },
      noValue: noFinding,
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        levelColumn('Level'),
        column('Finding', { links: [traceLink()], 'custom.width': 260 }),
        column('Agent', { 'custom.width': 150 }),
        column('Tool', { 'custom.width': 150 }),
        column('Why', { 'custom.width': 380, 'custom.cellOptions': { type: 'auto', wrapText: true } }),
        column('What matched', { 'custom.width': 420, 'custom.cellOptions': { type: 'auto', wrapText: true } }),
        ...countColumns('Times'),
        // No links here: the data source adds View trace and View logs to a column of this name.
        column('TraceId', { 'custom.width': 290 }),
      ],
    }),
  ];
}

function tracePanels() {
  return [
    row(10, 'The trace', 42),
    tracePanel({
      id: 11,
      title: 'Trace ${trace_id}',
      description: `All spans of the trace that is named under Trace above. ${noTrace}`,
      query: 'findings/trace',
      gridPos: { x: 0, y: 43, w: 24, h: 15 },
      noValue: noTrace,
    }),
    tablePanel({
      id: 12,
      title: 'Its spans in order',
      description:
        'What the agent did, in order, with the arguments of tool calls and the rules that fired on each span.',
      query: 'findings/trace-spans',
      gridPos: { x: 0, y: 58, w: 24, h: 10 },
      noValue: noTrace,
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        column('Duration', { unit: 'ns', 'custom.width': 110 }),
        column('Arguments', { 'custom.cellOptions': { type: 'auto', wrapText: true } }),
        column('Fired', {
          color: { mode: 'fixed', fixedColor: 'red' },
          'custom.cellOptions': { type: 'color-text' },
        }),
      ],
    }),
  ];
}

function rulePanels() {
  const cost = column('Cost a span', { unit: 'µs', decimals: 1, 'custom.width': 110 });
  const states = Object.entries(stateColours).map(([text, color], index) => [text, { color, index, text }] as const);
  return [
    row(14, 'Rules', 68),
    tablePanel({
      id: 15,
      title: 'Rule health',
      description:
        'What each rule saw in this time range, by the hour: spans of its logsource, those it was asked about, matches, and ' +
        'what suppressions took of them. A rule that threw or took too long is disabled until the rules are loaded again. ' +
        'Whether a rule can fire at all, spanwarden rules status knows.',
      query: 'findings/rules',
      gridPos: { x: 0, y: 69, w: 24, h: 12 },
      noValue: 'No counters in this time range. A collector writes them every minute: does one run?',
      overrides: [
        column('State', {
          mappings: [{ type: 'value', options: Object.fromEntries(states) }],
          'custom.cellOptions': { type: 'color-text' },
          'custom.width': 140,
        }),
        ...countColumns('Spans', 'Candidates', 'Matches', 'Suppressed', 'Errors'),
        cost,
        column('Last match', { unit: 'dateTimeFromNow', 'custom.width': 130 }),
        column('Why', { 'custom.cellOptions': { type: 'auto', wrapText: true } }),
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

function severeFindings(): AnnotationQuery<ClickHouseQuery> {
  return {
    name: 'High and critical findings',
    datasource: dataSource,
    enable: true,
    hide: false,
    iconColor: 'red',
    target: clickHouseQuery('findings/annotation-severe', 'table', 'annotation'),
  };
}

function countColumns(...names: readonly string[]) {
  return names.map((name) => column(name, { unit: 'short', decimals: 0, 'custom.width': 80 }));
}

function lastSeenColumn() {
  return column('Last seen', { unit: 'dateTimeFromNow', 'custom.width': 130 });
}

/** Sets a variable to the cell's row and keeps what else is chosen. */
function filterLink(variable: string, from: string) {
  return { title: `Only this ${variable}`, url: url(variable, from) };
}

function traceLink() {
  return { title: 'Show its trace below', url: url('trace_id', 'TraceId') };
}

function url(variable: string, from: string): string {
  const kept = ['datasource', ...filterVariables, 'trace_id'].filter((name) => name !== variable);
  const parts = kept.map((name) => `\${${name}:queryparam}`);
  return `/d/${uid}?\${__url_time_range}&${parts.join('&')}&var-${variable}=\${__data.fields["${from}"]:percentencode}`;
}

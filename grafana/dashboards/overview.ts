import { BigValueColorMode, type Dashboard, type DashboardLink } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { agentLink, boardLink, caseLink, rowLink, sessionLink, traceOnlyLink } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  hiddenColumns,
  levelColumn,
  levelFigureColours,
  levelSeriesColours,
  lineOverBars,
  row,
  statPanel,
  tablePanel,
  thresholds,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { queryVariable } from '../variables.ts';

const uid = 'spanwarden-overview';

const calm = 'Whether that is calm or silence, “Is anything arriving” says; Agent above may leave others out.';

/** For whoever opens Grafana first in the morning: what waits for a person, and whether the rest is calm or silent. */
export function overviewDashboard(): Dashboard {
  return dashboardOf({
    uid,
    title: 'Overview',
    description:
      'What needs me now: open cases, what got worse, who is behind it, and whether anything is watched at all.',
    links: boards(),
    variables: [
      queryVariable({
        name: 'agent',
        label: 'Agent',
        description: 'Only what concerns this agent; an agent without a name goes by its service.',
        query: 'overview/variable-agent',
      }),
    ],
    panels: [...nowPanels(), ...changePanels(), ...agentPanels(), ...newPanels()],
  });
}

/** Every other board with the question it answers. */
function boards(): DashboardLink[] {
  const ofAgent = ['agent'];
  return [
    boardLink('Cases & findings', 'spanwarden-findings', 'What happened, and what is to be done about it?', ofAgent),
    boardLink('Agent 360', 'spanwarden-agent', 'What does one agent do, and what of it is new?', []),
    boardLink('Session & trace', 'spanwarden-session', 'What happened in one run, call by call?', []),
    boardLink('Inventory', 'spanwarden-inventory', 'Which tools, models and MCP servers are in use?', ofAgent),
    boardLink('Egress', 'spanwarden-egress', 'Who sends what where?', ofAgent),
    boardLink('Injection', 'spanwarden-injection', 'Which orders from outside were followed?', ofAgent),
    boardLink('Approvals', 'spanwarden-approvals', 'Who is asked for what, and what do they answer?', ofAgent),
    boardLink('Cost', 'spanwarden-cost', 'Who spends how much on which model?', ofAgent),
    boardLink('Coverage', 'spanwarden-coverage', 'What can the rules not see?', ofAgent),
    boardLink('Rules', 'spanwarden-rules', 'Which rules fire, and which cannot?', []),
    boardLink('Health', 'spanwarden-health', 'Does the collector keep up?', []),
  ];
}

function nowPanels() {
  return [
    row(1, 'What waits', 0),
    statPanel({
      id: 2,
      title: 'Open cases',
      description:
        'Cases that nobody has closed, by level, and since when the oldest of them waits. Whatever the time range: an open case ' +
        'waits until it is closed, by `spanwarden cases close`.',
      query: 'overview/cases-by-level',
      gridPos: { x: 0, y: 1, w: 9, h: 4 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [...levelFigureColours('critical', 'high', 'medium'), column('oldest', { unit: 'dateTimeFromNow' })],
    }),
    statPanel({
      id: 3,
      title: 'Is anything arriving',
      description:
        'Spans in this time range and the newest of them, the agents and sessions they are of, and what agents cost today (UTC) by ' +
        'list prices. Without spans the absence of findings means nothing. Sums begin with the collector that brought them.',
      query: 'overview/arriving',
      gridPos: { x: 9, y: 1, w: 15, h: 4 },
      noValue: 'none: does an agent send?',
      colorMode: BigValueColorMode.None,
      overrides: [
        column('newest span', { unit: 'dateTimeFromNow' }),
        column('cost today', { unit: 'currencyUSD', decimals: 2, noValue: 'no price known' }),
      ],
    }),
    tablePanel({
      id: 4,
      title: 'Open cases, the worst and oldest first',
      description:
        'Findings that belong together, in one sentence each: what to look at first. Follow a headline to see the whole case. Runs are ' +
        'its sessions or traces. Whatever the time range.',
      query: 'overview/cases',
      gridPos: { x: 0, y: 5, w: 24, h: 8 },
      noValue: `No open case: nothing of at least medium fired, or every case has been closed. ${calm}`,
      overrides: [
        levelColumn('Level'),
        column('Headline', { links: [caseLink()], 'custom.cellOptions': { type: 'auto', wrapText: true } }),
        ...agoColumns('Opened', 'Last seen'),
        column('Agents', { 'custom.width': 180 }),
        ...countColumns('Findings', 'Runs'),
        column('Case', { links: [caseLink()], 'custom.width': 120 }),
      ],
    }),
  ];
}

function changePanels() {
  return [
    row(5, 'What is different', 13),
    barsPanel({
      id: 6,
      title: 'Findings over time, against the time range before',
      description:
        'Findings by the time of the span they are about, coloured by level. The dashed line is all findings of the time range of the ' +
        'same length before this one, moved to this one.',
      query: 'overview/timeline',
      gridPos: { x: 0, y: 14, w: 16, h: 8 },
      noValue: `No finding in this time range, nor in the one before. ${calm}`,
      overrides: [
        ...levelSeriesColours(),
        column('all, time range before', { ...lineOverBars, color: { mode: 'fixed', fixedColor: 'text' } }),
      ],
    }),
    tablePanel({
      id: 7,
      title: 'Findings by level, against the time range before',
      description:
        'How many findings of each level there are in this time range, how many there were in the one of the same length before it, and ' +
        'the difference.',
      query: 'overview/levels',
      gridPos: { x: 16, y: 14, w: 8, h: 8 },
      noValue: `No finding in this time range, nor in the one before. ${calm}`,
      overrides: [
        levelColumn('Level'),
        ...countColumns('Now', 'Before'),
        column('Change', {
          'custom.cellOptions': { type: 'color-text' },
          ...thresholds([null, 'green'], [0, 'text'], [1, 'red']),
        }),
      ],
    }),
  ];
}

function agentPanels() {
  return [
    tablePanel({
      id: 8,
      title: 'Agents, those with the worst open case first',
      description:
        'Agents with an open case, whatever the time range, or a finding in it: the level of the worst open case, how many are open, and ' +
        'findings, of which severe are those of level high and critical. Follow an agent to see all about it.',
      query: 'overview/agents',
      gridPos: { x: 0, y: 22, w: 9, h: 9 },
      noValue: `No agent has an open case, or a finding in this time range. ${calm}`,
      overrides: [
        column('Agent', { links: [agentLink(), onlyThisAgent()] }),
        levelColumn('Worst'),
        ...countColumns('Cases', 'Severe', 'Findings'),
        ...agoColumns('Last seen'),
      ],
    }),
    tablePanel({
      id: 9,
      title: 'Newest high and critical findings',
      description:
        'The 20 newest findings of level high and critical. Follow one to see its trace, its session to see the whole run.',
      query: 'overview/severe',
      gridPos: { x: 9, y: 22, w: 15, h: 9 },
      noValue: `No finding of level high or critical in this time range. ${calm}`,
      overrides: [
        ...agoColumns('Time'),
        levelColumn('Level'),
        column('Finding', { links: [traceOnlyLink()], 'custom.width': 200 }),
        column('Agent', { links: [agentLink()], 'custom.width': 120 }),
        column('Tool', { 'custom.width': 105 }),
        ...wrappedColumns('Why'),
        column('Session', { links: [sessionLink()], 'custom.width': 120 }),
        ...hiddenColumns('TraceId'),
      ],
    }),
  ];
}

function newPanels() {
  return [
    row(10, 'What is new, and what watches', 31),
    tablePanel({
      id: 11,
      title: 'Domains and tools seen for the first time',
      description:
        'External domains and tools that no agent used before this time range, out of all that is kept, and the agent that was first. ' +
        'Follow a name to see its first trace. Just after the ' +
        'first start everything is new.',
      query: 'overview/new-values',
      gridPos: { x: 0, y: 32, w: 14, h: 8 },
      noValue: `No domain and no tool was used for the first time in this time range. ${calm}`,
      overrides: [
        ...agoColumns('First seen'),
        wordColumn('What', { domain: 'orange', tool: 'blue' }, { 'custom.width': 90 }),
        column('Name', { links: [traceOnlyLink()] }),
        column('Agent', { links: [agentLink()], 'custom.width': 150 }),
        ...countColumns('Calls'),
        ...hiddenColumns('TraceId'),
      ],
    }),
    statPanel({
      id: 12,
      title: 'The collector, as its tables tell',
      description:
        'The newest span of all, whatever the time range; rules that run, that were disabled because they threw or took too long, and ' +
        'whether the newest set of rules was refused; errors of rules in this time range. `spanwarden doctor` knows more.',
      query: 'overview/health',
      gridPos: { x: 14, y: 32, w: 10, h: 8 },
      noValue: 'none: does an agent send?',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('newest span of all', { unit: 'dateTimeFromNow', color: { mode: 'fixed', fixedColor: 'text' } }),
        column('active rules', thresholds([null, 'red'], [1, 'text'])),
        ...['disabled rules', 'refused sets of rules', 'errors of rules'].map((name) =>
          column(name, thresholds([null, 'text'], [1, 'red'])),
        ),
      ],
    }),
  ];
}

function onlyThisAgent() {
  return rowLink('Only this agent', uid, { agent: 'Agent' });
}

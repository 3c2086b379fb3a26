import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { boardsMenu, caseLink, rowLink, sessionLink, traceOnlyLink } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  hiddenColumns,
  levelColumn,
  levelFigureColours,
  lineOverBars,
  linesPanel,
  orDash,
  row,
  statPanel,
  tablePanel,
  thresholds,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { queryVariable } from '../variables.ts';

const nothing =
  'Nothing of this agent in this time range: choose a longer one, or another agent above. If there is none to choose, no agent sends: ' +
  'spans that are no agent’s are not counted here.';
const otherwise = 'Or it did nothing in this time range: choose a longer one, or another agent above.';

/** For whoever owns an agent, or has to judge it: what it does, what it costs, what of it is new, and what the rules say. */
export function agentDashboard(): Dashboard {
  return dashboardOf({
    uid: 'spanwarden-agent',
    title: 'Agent 360',
    description: 'One agent: what it does, what of that is new, what it costs, and what the rules say about it.',
    links: [boardsMenu()],
    variables: [
      queryVariable({
        name: 'agent',
        label: 'Agent',
        description:
          'The agent that all of this is about, the busiest first; an agent without a name goes by its service.',
        query: 'agent/variable-agent',
        includeAll: false,
      }),
    ],
    panels: [
      ...figurePanels(),
      ...newPanels(),
      ...overTimePanels(),
      ...toolPanels(),
      ...otherEndPanels(),
      ...whoPanels(),
    ],
  });
}

const isNew = wordColumn('New', { new: 'orange' }, { 'custom.width': 60 });
const within = { unit: 'ns', 'custom.width': 105 };

function figurePanels() {
  return [
    row(1, 'The agent ${agent}', 0),
    statPanel({
      id: 2,
      title: 'What it did',
      description:
        'Sessions, users, calls, the share of spans that failed, tokens and cost by list prices in this time range, and when it was ' +
        'last seen. Sums begin with the collector that brought them.',
      query: 'agent/summary',
      gridPos: { x: 0, y: 1, w: 24, h: 4 },
      noValue: 'nothing in this time range',
      colorMode: BigValueColorMode.None,
      overrides: [
        column('error rate', { unit: 'percentunit', decimals: 1 }),
        column('cost', { unit: 'currencyUSD', decimals: 2, noValue: 'no price known' }),
        column('last seen', { unit: 'dateTimeFromNow' }),
      ],
    }),
    statPanel({
      id: 3,
      title: 'What the rules say',
      description:
        'Cases with the agent in them that nobody has closed, whatever the time range; findings of each level in it.',
      query: 'agent/by-level',
      gridPos: { x: 0, y: 5, w: 9, h: 8 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('open cases', thresholds([null, 'text'], [1, 'orange'])),
        ...levelFigureColours('critical', 'high', 'medium', 'low'),
      ],
    }),
    tablePanel({
      id: 4,
      title: 'Its open cases',
      description:
        'Cases with the agent in them that nobody has closed, whatever the time range. Follow a headline to see the whole case.',
      query: 'agent/cases',
      gridPos: { x: 9, y: 5, w: 15, h: 8 },
      noValue:
        'No open case with this agent in it: nothing of at least medium fired on it, or every case has been closed.',
      overrides: [
        levelColumn('Level'),
        column('Headline', { links: [caseLink()], 'custom.cellOptions': { type: 'auto', wrapText: true } }),
        ...agoColumns('Opened'),
        ...countColumns('Findings'),
        column('Case', { links: [caseLink()], 'custom.width': 120 }),
      ],
    }),
  ];
}

function newPanels() {
  return [
    tablePanel({
      id: 5,
      title: 'New in this range',
      description:
        'What the agent did for the first time, out of all that is kept: tools, models, MCP servers, domains, programs, tables, effects, ' +
        'definitions of tools and kinds of data sent. An agent that is new itself has everything here. Follow a name to see its trace.',
      query: 'agent/new',
      gridPos: { x: 0, y: 13, w: 10, h: 10 },
      noValue: `The agent did nothing in this time range that it had not done before. ${otherwise}`,
      overrides: [
        ...agoColumns('First seen'),
        column('What', { 'custom.width': 150 }),
        column('Name', { links: [traceOnlyLink()] }),
        column('Details', { 'custom.width': 130 }),
        ...countColumns('Times'),
        ...hiddenColumns('TraceId'),
      ],
    }),
    tablePanel({
      id: 6,
      title: 'Findings, newest first',
      description:
        'The 100 newest findings on the agent. Follow one to see its trace, its session to see the whole run.',
      query: 'agent/findings',
      gridPos: { x: 10, y: 13, w: 14, h: 10 },
      noValue: `No rule fired on this agent in this time range. ${otherwise}`,
      overrides: [
        ...agoColumns('Time'),
        levelColumn('Level'),
        column('Finding', { links: [traceOnlyLink()], 'custom.width': 200 }),
        column('Tool', { 'custom.width': 120 }),
        ...wrappedColumns('Why'),
        ...countColumns('Times'),
        column('Session', { links: [sessionLink()], 'custom.width': 120 }),
        ...hiddenColumns('TraceId'),
      ],
    }),
  ];
}

function overTimePanels() {
  return [
    row(7, 'Over time', 23),
    barsPanel({
      id: 8,
      title: 'Activity by operation',
      description:
        'Spans of the agent by what they are: calls of models and tools, retrieval, runs of agents and workflows, others.',
      query: 'agent/activity',
      gridPos: { x: 0, y: 24, w: 10, h: 8 },
      noValue: nothing,
      interval: '5m',
    }),
    linesPanel({
      id: 9,
      title: 'Share of calls that failed',
      description:
        'Calls whose span has the status error, out of all of them. A rise of tool errors may be an agent that probes.',
      query: 'agent/errors',
      gridPos: { x: 10, y: 24, w: 6, h: 8 },
      noValue: nothing,
      unit: 'percentunit',
      interval: '5m',
    }),
    barsPanel({
      id: 10,
      title: 'Tokens and cost',
      description:
        'Input tokens, of these those read from the cache of the provider, output tokens, and as a dashed line what they cost by list ' +
        'prices in US dollars.',
      query: 'agent/tokens',
      gridPos: { x: 16, y: 24, w: 8, h: 8 },
      noValue: nothing,
      interval: '5m',
      overrides: [
        column('cost', { ...lineOverBars, unit: 'currencyUSD', decimals: 2, 'custom.axisPlacement': 'right' }),
      ],
    }),
  ];
}

function toolPanels() {
  return [
    row(11, 'What it uses', 32),
    tablePanel({
      id: 12,
      title: 'Tools',
      description:
        'Tools in this time range, new ones first: how often called, failed and denied, how long half of the calls and 95 of 100 took, ' +
        'and when the agent first used them, out of all that is kept. A call that two instrumentations tell counts twice.',
      query: 'agent/tools',
      gridPos: { x: 0, y: 33, w: 24, h: 9 },
      noValue: `The agent called no tool, or its spans name none. ${otherwise}`,
      overrides: [
        column('Tool', {
          links: [
            rowLink('Findings on this tool', 'spanwarden-findings', { tool: 'Tool' }),
            rowLink('The tool in the inventory', 'spanwarden-inventory', { tool: 'Tool' }),
          ],
        }),
        isNew,
        ...countColumns('Calls', 'Errors', 'Denied'),
        column('Error rate', { unit: 'percentunit', decimals: 1, 'custom.width': 90 }),
        column('Half within', within),
        column('95 % within', within),
        ...agoColumns('First seen', 'Last seen'),
      ],
    }),
  ];
}

function otherEndPanels() {
  return [
    tablePanel({
      id: 13,
      title: 'External domains',
      description:
        'Domains outside of the house that its tools reached in this time range, new ones first: bytes and kinds of secrets and ' +
        'personal data that were sent there. Follow a domain to see the newest trace, or who else reaches it.',
      query: 'agent/domains',
      gridPos: { x: 0, y: 42, w: 24, h: 8 },
      noValue: `No tool of the agent reached a domain outside, or its arguments were not captured. ${otherwise}`,
      overrides: [
        column('Domain', {
          links: [traceOnlyLink(), rowLink('Who else reaches it', 'spanwarden-egress', { domain: 'Domain' })],
        }),
        isNew,
        ...countColumns('Calls'),
        column('Sent', { unit: 'bytes', 'custom.width': 80 }),
        column('Secrets and personal data', {
          color: { mode: 'fixed', fixedColor: 'red' },
          'custom.cellOptions': { type: 'color-text' },
        }),
        ...agoColumns('First seen', 'Last seen'),
        ...hiddenColumns('TraceId'),
      ],
    }),
    tablePanel({
      id: 14,
      title: 'Models',
      description:
        'Models in this time range with calls, errors, tokens and cost by list prices; calls without price are not in the cost. Since ' +
        'when the agent has been calling them, out of all that is kept.',
      query: 'agent/models',
      gridPos: { x: 0, y: 50, w: 24, h: 6 },
      noValue: `The agent called no model, or its spans name none. ${otherwise}`,
      overrides: [
        isNew,
        ...countColumns('Calls', 'Errors', 'Input', 'From cache', 'Output', 'Without price'),
        column('95 % within', within),
        column('Cost', { unit: 'currencyUSD', decimals: 2, 'custom.width': 90, ...orDash }),
        ...agoColumns('First seen', 'Last seen'),
      ],
    }),
  ];
}

function whoPanels() {
  return [
    row(15, 'Its runs and for whom', 56),
    tablePanel({
      id: 16,
      title: 'Sessions',
      description:
        'Conversations, stitched calls or traces of the agent that touch this time range, those with the worst finding first, then the ' +
        'newest. Follow a session to see every call of it.',
      query: 'agent/sessions',
      gridPos: { x: 0, y: 57, w: 17, h: 12 },
      noValue: nothing,
      overrides: [
        column('Session', { links: [sessionLink()] }),
        levelColumn('Worst'),
        ...countColumns('Findings', 'Model calls', 'Tool calls', 'Errors', 'Tokens'),
        column('Started', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        column('Duration', { unit: 'ms', 'custom.width': 90 }),
        column('Cost', { unit: 'currencyUSD', decimals: 3, 'custom.width': 80 }),
        ...hiddenColumns('TraceId'),
      ],
    }),
    tablePanel({
      id: 17,
      title: 'Users',
      description: 'On whose behalf the agent acted in this time range, where its spans say so (user.id).',
      query: 'agent/users',
      gridPos: { x: 17, y: 57, w: 7, h: 12 },
      noValue: `No span of the agent names a user: set user.id. ${otherwise}`,
      overrides: [
        ...countColumns('Sessions', 'Calls'),
        column('Cost', { unit: 'currencyUSD', decimals: 2, 'custom.width': 80 }),
        ...agoColumns('Last seen'),
      ],
    }),
  ];
}

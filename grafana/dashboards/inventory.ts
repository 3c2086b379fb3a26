import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { agentLink, boardsMenu, filterLink, rowLink, traceOnlyLink } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  durationColumns,
  row,
  shareColumns,
  statPanel,
  tablePanel,
  thresholds,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { adHocVariables, queryVariable } from '../variables.ts';

const uid = 'spanwarden-inventory';
const variables = ['agent', 'tool'];

const noCall =
  'No tool call in this time range that passes the filters above. Calls count from the release on that keeps what spans add up ' +
  'to; a tool call is a span with gen_ai.tool.name.';
const noDefinition =
  'No model call in this time range says which tools it offers: gen_ai.tool.definitions is opt-in for most instrumentations.';

/** For whoever answers for an agent's permissions: which tools there are, which are new, changed, or not needed. */
export function inventoryDashboard(): Dashboard {
  return dashboardOf({
    uid,
    title: 'Tools & MCP inventory',
    description:
      'Which tools and MCP servers agents have and use, and what of it is new, changed, unused or was never offered.',
    links: [boardsMenu()],
    range: '7d',
    variables: [
      queryVariable({
        name: 'agent',
        label: 'Agent',
        description: 'Agent that calls or offers the tools; an agent without a name goes by its service.',
        query: 'inventory/variable-agent',
      }),
      queryVariable({
        name: 'tool',
        label: 'Tool',
        description: 'Tool as its calls name it.',
        query: 'inventory/variable-tool',
      }),
      ...adHocVariables('inventory/ad-hoc-values', 'calls'),
    ],
    panels: [...overview(), ...newThings(), ...permissions(), ...definitions(), ...reach()],
  });
}

function overview() {
  return [
    row(1, 'Every tool', 0),
    statPanel({
      id: 2,
      title: 'How many',
      description:
        'Tools by agent: used in this time range, called for the first time in its last 24 hours or in all of it, and called ' +
        'before but no longer. With several definitions: offered under one name in different words. Everything is new as long as ' +
        'the history, since when it is known, is shorter than the time range.',
      query: 'inventory/figures',
      gridPos: { x: 0, y: 1, w: 24, h: 4 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('new in 24 h', thresholds([null, 'text'], [1, 'orange'])),
        column('with several definitions', thresholds([null, 'text'], [1, 'orange'])),
        column('known since', { unit: 'dateTimeFromNow' }),
      ],
    }),
    tablePanel({
      id: 3,
      title: 'Tools, the newest first',
      description:
        'Every tool that an agent ever called, within what is kept, and its calls in this time range. A call that two spans tell, ' +
        'of the agent and of its MCP client, counts twice. Offered: whether a model call of the agent ever offered the tool; not ' +
        'told where none of its model calls says what it offers.',
      query: 'inventory/tools',
      gridPos: { x: 0, y: 5, w: 24, h: 12 },
      noValue: noCall,
      overrides: [
        column('Agent', { links: [agentLink()], 'custom.width': 170 }),
        column('Tool', {
          links: [
            filterLink(uid, variables, 'tool', 'Tool'),
            rowLink('Its findings', 'spanwarden-findings', { tool: 'Tool' }),
            traceOnlyLink(),
          ],
          'custom.width': 220,
        }),
        wordColumn(
          'State',
          { 'new in 24 h': 'red', 'new in this range': 'orange', 'in use': 'text', 'gone quiet': 'semi-dark-blue' },
          { 'custom.width': 140 },
        ),
        wordColumn('Offered', { yes: 'text', no: 'red', 'not told': 'semi-dark-blue' }, { 'custom.width': 85 }),
        ...countColumns('Calls', 'Errors'),
        ...shareColumns('Error rate'),
        ...durationColumns('p95'),
        ...agoColumns('First seen', 'Last seen'),
        column('TraceId', { 'custom.width': 290 }),
      ],
    }),
    barsPanel({
      id: 4,
      title: 'Calls over time',
      description: 'Calls of the ten tools that are called most, one colour each.',
      query: 'inventory/timeline',
      gridPos: { x: 0, y: 17, w: 24, h: 7 },
      noValue: noCall,
      interval: '5m',
    }),
  ];
}

function newThings() {
  return [
    row(5, 'New', 24),
    tablePanel({
      id: 6,
      title: 'First seen in this time range',
      description:
        'Tools, MCP servers, effects, programs, SQL tables and offered tools that no earlier span of the agent showed, within what ' +
        'is kept. Follow a name to the session it came up in.',
      query: 'inventory/new-values',
      gridPos: { x: 0, y: 25, w: 24, h: 10 },
      noValue: 'Nothing new in this time range: all that agents used in it they had used before.',
      overrides: [
        column('First seen', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        wordColumn(
          'What',
          {
            tool: 'red',
            'MCP server': 'red',
            effect: 'orange',
            program: 'orange',
            'SQL table': 'orange',
            'offered tool': 'semi-dark-blue',
          },
          { 'custom.width': 120 },
        ),
        column('Name', { links: [traceOnlyLink()] }),
        column('Agent', { links: [agentLink()], 'custom.width': 200 }),
        column('Tool', { links: [filterLink(uid, variables, 'tool', 'Tool')], 'custom.width': 220 }),
        column('TraceId', { 'custom.width': 290 }),
      ],
    }),
  ];
}

function permissions() {
  return [
    row(7, 'Permissions', 35),
    tablePanel({
      id: 8,
      title: 'Offered, never used',
      description:
        'Tools that model calls of this time range offered and that the agent did not call in it: take them away, and an injected ' +
        'text cannot ask for them. Names are compared without a server in front and with _ for what models do not allow.',
      query: 'inventory/unused',
      gridPos: { x: 0, y: 36, w: 13, h: 9 },
      noValue: `${noDefinition} Otherwise every offered tool was used.`,
      overrides: [
        column('Agent', { links: [agentLink()], 'custom.width': 170 }),
        column('Tool', { links: [traceOnlyLink()] }),
        ...countColumns('Model calls'),
        ...agoColumns('Last offered'),
        column('Last used', { unit: 'dateTimeFromNow', noValue: 'never', 'custom.width': 125 }),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
    tablePanel({
      id: 9,
      title: 'Used without having been offered',
      description:
        'Tools that ran in this time range and that no model call of the agent ever offered: called by the program itself, offered ' +
        'in a call that nobody recorded, or put in from outside. Of agents whose model calls say what they offer.',
      query: 'inventory/unoffered',
      gridPos: { x: 13, y: 36, w: 11, h: 9 },
      noValue: 'Every tool that was called had been offered, by the agents that say what they offer.',
      overrides: [
        column('Agent', { links: [agentLink()], 'custom.width': 170 }),
        column('Tool', { links: [traceOnlyLink(), rowLink('Its findings', 'spanwarden-findings', { tool: 'Tool' })] }),
        ...countColumns('Calls'),
        ...agoColumns('Last seen'),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
  ];
}

function definitions() {
  return [
    row(10, 'Definitions', 45),
    tablePanel({
      id: 11,
      title: 'One name, several definitions',
      description:
        'Tools that were offered in different words under one name, each definition by the hash of its text. Overlaps no: one ' +
        'followed the other, the tool has changed. Overlaps yes: two tools, two forms of one, or a text that changes with every ' +
        'call, such as a date. Follow a definition to the session in which it was first offered.',
      query: 'inventory/definitions',
      gridPos: { x: 0, y: 46, w: 24, h: 9 },
      noValue: `${noDefinition} Otherwise every tool kept its definition.`,
      overrides: [
        column('Agent', { links: [agentLink()], 'custom.width': 200 }),
        column('Tool', {
          links: [rowLink('Findings about changed definitions', 'spanwarden-findings', { agent: 'Agent' })],
          'custom.width': 240,
        }),
        column('Definition', { links: [traceOnlyLink()], 'custom.width': 190 }),
        wordColumn(
          'State',
          { 'first known': 'text', 'new in this range': 'red', newer: 'orange' },
          { 'custom.width': 140 },
        ),
        column('Overlaps', { 'custom.width': 90 }),
        ...countColumns('Model calls'),
        column('First offered', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        column('Last offered', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        column('TraceId', { 'custom.width': 290 }),
      ],
    }),
  ];
}

function reach() {
  return [
    row(12, 'MCP servers and what tools reach', 55),
    tablePanel({
      id: 13,
      title: 'MCP servers',
      description:
        'Servers by agent, their methods and tools, and how the calls of tools went. A server without an address is a process on ' +
        'the agent’s own machine; several such processes of one agent are one line.',
      query: 'inventory/mcp',
      gridPos: { x: 0, y: 56, w: 24, h: 8 },
      noValue: 'No MCP call in this time range: a span with mcp.method.name.',
      overrides: [
        column('Agent', { links: [agentLink()], 'custom.width': 170 }),
        column('Server', { links: [traceOnlyLink()], 'custom.width': 200 }),
        ...wrappedColumns('Methods', 'Tools'),
        ...countColumns('Calls', 'Errors'),
        ...durationColumns('p95'),
        ...agoColumns('First seen', 'Last seen'),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
    tablePanel({
      id: 14,
      title: 'What calls do',
      description: 'Effects of tool calls, told from their names and arguments. One call may have several.',
      query: 'inventory/effects',
      gridPos: { x: 0, y: 64, w: 10, h: 9 },
      noValue: noCall,
      overrides: [
        column('Effect', { links: [traceOnlyLink()] }),
        ...countColumns('Calls', 'Tools', 'Agents'),
        ...agoColumns('Last seen'),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
    tablePanel({
      id: 15,
      title: 'Programs and SQL tables',
      description:
        'Programs that shell commands start and tables that SQL names, in this time range, the newest first seen first.',
      query: 'inventory/programs',
      gridPos: { x: 10, y: 64, w: 14, h: 9 },
      noValue:
        'No shell command and no SQL in the arguments of tool calls of this time range, or arguments are not captured.',
      overrides: [
        column('What', { 'custom.width': 95 }),
        column('Name', { links: [traceOnlyLink()] }),
        column('Agent', { links: [agentLink()], 'custom.width': 150 }),
        column('Tool', { 'custom.width': 150 }),
        ...countColumns('Calls'),
        ...agoColumns('First seen', 'Last seen'),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
  ];
}

import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { boardsMenu, rowLink, traceColumn } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  levelColumn,
  linesPanel,
  row,
  statPanel,
  tablePanel,
  thresholds,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { queryVariable } from '../variables.ts';

const noDecision =
  'No agent told a decision in this time range. Claude Code, Codex and Gemini CLI do, in log records (POST /v1/logs) or spans; others do ' +
  'when they set spanwarden.decision on the span of a tool call. Decisions are counted from the spans and records on that came after the ' +
  'collector was updated.';
const share = (name: string) => column(name, { unit: 'percentunit', decimals: 0, 'custom.width': 110 });
const agentColumn = column('Agent', {
  links: [
    rowLink('Only this agent', 'spanwarden-approvals', { agent: 'Agent' }),
    rowLink('Open the agent', 'spanwarden-agent', { agent: 'Agent' }),
  ],
  'custom.width': 170,
});
const toolColumn = column('Tool', {
  links: [
    rowLink('Open the tool', 'spanwarden-inventory', { agent: 'Agent', tool: 'Tool' }),
    rowLink('Its findings', 'spanwarden-findings', { agent: 'Agent', tool: 'Tool' }),
  ],
  'custom.width': 200,
});

/** For whoever answers for what agents may do: who was asked, who said yes or no, and whether anybody still looks. */
export function approvalsDashboard(): Dashboard {
  return dashboardOf({
    uid: 'spanwarden-approvals',
    title: 'Approvals',
    description:
      'Who or what decided on tool calls, what was denied, and whether anybody still looks. It shows decisions that agents tell about ' +
      'themselves, and findings of rules that ask for approval or a block: Spanwarden itself asks nobody and holds no call back.',
    links: [boardsMenu()],
    variables: [
      queryVariable({
        name: 'agent',
        label: 'Agent',
        description: 'Agent whose calls they are; an agent without a name goes by its service.',
        query: 'approvals/variable-agent',
      }),
    ],
    panels: [...decisions(), ...deciders(), ...fatigue(), ...denied(), ...covered()],
  });
}

function decisions() {
  return [
    row(1, 'What was decided', 0),
    statPanel({
      id: 2,
      title: 'At a glance',
      description:
        'Decisions that agents told in this time range, how many denied the call, how many a person made and how often people deny, how ' +
        'many came without a person, from configuration or a hook, and of how many agents and tools. An agent that tells a decision ' +
        'in spans and in log records counts once. Counted by the hour.',
      query: 'approvals/figures',
      gridPos: { x: 0, y: 1, w: 24, h: 4 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('denied', thresholds([null, 'text'], [1, 'orange'])),
        column('share denied', { unit: 'percentunit' }),
        column('people denied', { unit: 'percentunit' }),
      ],
    }),
    barsPanel({
      id: 3,
      title: 'Decisions over time',
      description:
        'Decisions by their outcome and by whether a person made them. More and more without a person means that settings were widened: ' +
        'look at who changed them.',
      query: 'approvals/over-time',
      gridPos: { x: 0, y: 5, w: 14, h: 8 },
      noValue: noDecision,
      interval: '1h',
      overrides: [
        colour('approved without a person', 'light-green'),
        colour('approved by a person', 'green'),
        colour('denied without a person', 'light-red'),
        colour('denied by a person', 'red'),
      ],
    }),
    linesPanel({
      id: 4,
      title: 'Share denied',
      description:
        'How many of all decisions denied the call, and how many of those that people made. People who deny nothing for days have ' +
        'stopped reading, or are asked the wrong questions.',
      query: 'approvals/share-over-time',
      gridPos: { x: 14, y: 5, w: 10, h: 8 },
      noValue: noDecision,
      unit: 'percentunit',
      interval: '1h',
    }),
  ];
}

function deciders() {
  return [
    tablePanel({
      id: 5,
      title: 'Who or what decided',
      description:
        'Sources of decisions in the words of the agents. What begins with user is taken for a person, what names a hook for a hook, all ' +
        'else for configuration; a “user_permanent” is a person who answered once for all later calls.',
      query: 'approvals/by-source',
      gridPos: { x: 0, y: 13, w: 10, h: 9 },
      noValue: noDecision,
      overrides: [
        ...countColumns('Decisions', 'Approved', 'Denied', 'Agents', 'Tools'),
        share('Share denied'),
        ...agoColumns('Last seen'),
      ],
    }),
    tablePanel({
      id: 6,
      title: 'By agent and tool',
      description:
        'Decisions on each tool, those that were denied most often first, and the newest trace or session with one.',
      query: 'approvals/by-tool',
      gridPos: { x: 10, y: 13, w: 14, h: 9 },
      noValue: noDecision,
      overrides: [
        agentColumn,
        toolColumn,
        ...countColumns('Decisions', 'Denied', 'By a person'),
        share('Share denied'),
        ...agoColumns('Last seen', 'Last denied'),
        traceColumn,
      ],
    }),
  ];
}

function fatigue() {
  return [
    row(7, 'Does anybody still look?', 22),
    tablePanel({
      id: 8,
      title: 'Always yes',
      description:
        'Tools that people were asked about ten times or more in this time range without one no. Those with findings on the same tool come ' +
        'first: there somebody said yes to what a rule found. Those without findings that are asked often want a setting, so that ' +
        'questions stay rare enough to be read.',
      query: 'approvals/always-yes',
      gridPos: { x: 0, y: 23, w: 24, h: 9 },
      noValue: `No tool was approved by people ten times without a denial. ${noDecision}`,
      overrides: [
        agentColumn,
        toolColumn,
        ...countColumns('Yes of people', 'Findings'),
        column('On a day', { decimals: 1, 'custom.width': 90 }),
        column('Severe', {
          'custom.width': 80,
          'custom.cellOptions': { type: 'color-text' },
          ...thresholds([null, 'text'], [1, 'red']),
        }),
        ...agoColumns('Last seen'),
        traceColumn,
      ],
    }),
  ];
}

function denied() {
  return [
    row(9, 'Denied', 32),
    tablePanel({
      id: 10,
      title: 'Denied, and then done otherwise',
      description:
        'Denied calls after which the same trace called another tool, or the same one with other arguments, within ten minutes. The next ' +
        'call may be harmless: read both. Looked at are ten traces, the newest of each agent, tool and hour; decisions in log records ' +
        'alone are not.',
      query: 'approvals/done-otherwise',
      gridPos: { x: 0, y: 33, w: 24, h: 10 },
      noValue: 'No denied call in a span of this time range that another call followed within ten minutes.',
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        agentColumn,
        ...wrappedColumns('Denied arguments', 'With arguments'),
        ...countColumns('Seconds later'),
        traceColumn,
      ],
    }),
    barsPanel({
      id: 11,
      title: 'What rules ask for',
      description:
        'Findings of rules whose response is approve or block. Nobody has asked or blocked because of them: a rule only says so.',
      query: 'approvals/verdicts-over-time',
      gridPos: { x: 0, y: 43, w: 8, h: 9 },
      noValue: 'No rule with the response approve or block found anything in this time range.',
      interval: '1h',
      overrides: [colour('block', 'red'), colour('approve', 'orange')],
    }),
    tablePanel({
      id: 12,
      title: 'Findings that wanted a decision',
      description:
        'The 200 newest findings of rules whose response is approve or block, beside what the agent told about that tool in the same hour or the one before. ' +
        '“Not told” beside “block” is a call that ran, as far as anybody knows.',
      query: 'approvals/rule-verdicts',
      gridPos: { x: 8, y: 43, w: 16, h: 9 },
      noValue: 'No rule with the response approve or block found anything in this time range.',
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        levelColumn('Level'),
        wordColumn('Rule says', { block: 'red', approve: 'orange' }, { 'custom.width': 90 }),
        column('Finding', {
          links: [rowLink('Its findings', 'spanwarden-findings', { rule: 'Rule id', agent: 'Agent' })],
          'custom.width': 230,
        }),
        agentColumn,
        toolColumn,
        wordColumn('Agent told then', { 'not told': 'orange', approved: 'yellow', denied: 'green' }),
        ...countColumns('Times'),
        traceColumn,
      ],
    }),
  ];
}

function covered() {
  return [
    row(13, 'What this board can see', 52),
    tablePanel({
      id: 14,
      title: 'Which agents tell decisions',
      description:
        'Tool calls of each agent and the decisions it told; those that tell none first, of which this board knows nothing. Calls are ' +
        'counted from spans: an agent that only sends log records has none, and a share above 100 % means that a span is told less often ' +
        'than a decision.',
      query: 'approvals/by-agent',
      gridPos: { x: 0, y: 53, w: 24, h: 9 },
      noValue: 'No agent called a tool in this time range.',
      overrides: [
        agentColumn,
        ...countColumns('Tool calls', 'Decisions', 'By a person', 'Denied'),
        column('Share told', {
          unit: 'percentunit',
          decimals: 0,
          'custom.cellOptions': { type: 'color-text' },
          ...thresholds([null, 'orange'], [0.01, 'text']),
        }),
        ...agoColumns('Last seen'),
      ],
    }),
  ];
}

function colour(name: string, fixedColor: string) {
  return column(name, { color: { mode: 'fixed', fixedColor } });
}

import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { boardsMenu, rowLink, traceColumn } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  row,
  statPanel,
  tablePanel,
  thresholds,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { queryVariable } from '../variables.ts';

const noSpan =
  'No span of an agent in this time range that passes the filter above. Does an agent send to this collector? `spanwarden doctor` says.';
const agentColumn = column('Agent', {
  links: [
    rowLink('Only this agent', 'spanwarden-coverage', { agent: 'Agent' }),
    rowLink('Open the agent', 'spanwarden-agent', { agent: 'Agent' }),
  ],
  'custom.width': 180,
});
/** A share that ought to be zero. */
const lacking = (...names: readonly string[]) =>
  names.map((name) =>
    column(name, {
      unit: 'percentunit',
      decimals: 0,
      'custom.width': 115,
      'custom.cellOptions': { type: 'color-text' },
      ...thresholds([null, 'text'], [0.01, 'yellow'], [0.5, 'orange'], [0.99, 'red']),
    }),
  );

/** For whoever relies on findings: what is not seen, so that silence is not taken for calm. */
export function coverageDashboard(): Dashboard {
  return dashboardOf({
    uid: 'spanwarden-coverage',
    title: 'Coverage & blind spots',
    description:
      'What is not seen: content that agents do not send, agents gone silent, services without agents, tags that no rule covers.',
    links: [boardsMenu()],
    variables: [
      queryVariable({
        name: 'agent',
        label: 'Agent',
        description: 'Agent that sent it; an agent without a name goes by its service.',
        query: 'coverage/variable-agent',
      }),
    ],
    panels: [...content(), ...lost(), ...senders(), ...conventions(), ...surroundings(), ...tags()],
  });
}

function content() {
  return [
    row(1, 'What agents do not send', 0),
    statPanel({
      id: 2,
      title: 'At a glance',
      description:
        'Agents in this time range and those with content that was not captured, the share of their spans that name no user and no ' +
        'conversation, services that send spans and none of an agent, and calls that say they ran in no sandbox or asked for none.',
      query: 'coverage/figures',
      gridPos: { x: 0, y: 1, w: 24, h: 4 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('agents with missing content', thresholds([null, 'text'], [1, 'orange'])),
        column('services without agents', thresholds([null, 'text'], [1, 'yellow'])),
        column('calls outside a sandbox', thresholds([null, 'text'], [1, 'orange'])),
        ...['spans without a user', 'spans without a conversation'].map((name) =>
          column(name, { unit: 'percentunit', ...thresholds([null, 'text'], [0.5, 'yellow']) }),
        ),
      ],
    }),
    tablePanel({
      id: 3,
      title: 'By agent',
      description:
        'Of each agent the share of model calls without input or output messages, of tool calls without the tool’s name, arguments or result, of ' +
        'retrievals without documents, and of all spans without conversation and user. Rules on what is missing cannot fire there. ' +
        'Most emitters have a setting for content: docs/dialects.md names it.',
      query: 'coverage/content',
      gridPos: { x: 0, y: 5, w: 24, h: 10 },
      noValue: noSpan,
      overrides: [
        agentColumn,
        ...countColumns('Model calls', 'Tool calls'),
        ...lacking(
          'No input',
          'No output',
          'No tool name',
          'No arguments',
          'No result',
          'No documents',
          'No conversation',
          'No user',
        ),
        ...agoColumns('Last seen'),
      ],
    }),
  ];
}

function lost() {
  return [
    barsPanel({
      id: 4,
      title: 'Missing content over time',
      description:
        'Spans that lack each kind of content, by the hour. A step up after an update of an agent is a setting that was lost; who lost it, ' +
        'the table above says. A span that lacks two kinds counts at both.',
      query: 'coverage/content-over-time',
      gridPos: { x: 0, y: 15, w: 10, h: 9 },
      noValue: `Every span of an agent had its content. ${noSpan}`,
      interval: '1h',
    }),
    tablePanel({
      id: 5,
      title: 'Tools without arguments',
      description:
        'Tools whose calls came without arguments, and their share: what such a call reads, sends or deletes nobody knows.',
      query: 'coverage/tools',
      gridPos: { x: 10, y: 15, w: 14, h: 9 },
      noValue: `Every tool call had its arguments. ${noSpan}`,
      overrides: [
        agentColumn,
        column('Tool', {
          links: [rowLink('Open the tool', 'spanwarden-inventory', { agent: 'Agent', tool: 'Tool' })],
          'custom.width': 190,
        }),
        ...countColumns('Calls', 'Without arguments', 'Without result'),
        ...lacking('Share'),
        ...agoColumns('Last seen'),
        traceColumn,
      ],
    }),
  ];
}

function senders() {
  return [
    row(6, 'Who sends', 24),
    tablePanel({
      id: 7,
      title: 'Silence',
      description:
        'How long each agent has been silent at the end of this time range, against its longest silence within it, in steps of five minutes. ' +
        'Gone silent: longer than an hour and twice the longest. Choose a range that shows an agent’s habits, of 7 days or more: within ' +
        '24 hours every night looks like an end.',
      query: 'coverage/silent',
      gridPos: { x: 0, y: 25, w: 14, h: 10 },
      noValue: noSpan,
      overrides: [
        agentColumn,
        wordColumn(
          'Verdict',
          { 'gone silent': 'red', 'longer than ever': 'orange', 'as usual': 'green' },
          { 'custom.width': 130 },
        ),
        ...['Silence', 'Longest'].map((name) => column(name, { unit: 's', 'custom.width': 100 })),
        ...agoColumns('Last seen'),
        ...countColumns('Spans'),
        column('Active steps a day', { decimals: 1, 'custom.width': 130 }),
      ],
    }),
    tablePanel({
      id: 8,
      title: 'Services without agents',
      description:
        'Services that send spans and none of an agent. Either none runs there, or its library is not instrumented: look at a trace.',
      query: 'coverage/services',
      gridPos: { x: 14, y: 25, w: 10, h: 10 },
      noValue: 'Every service that sends spans sends some of an agent, or nothing arrives.',
      overrides: [...countColumns('Spans', 'Errors'), ...agoColumns('First seen', 'Last seen'), traceColumn],
    }),
  ];
}

function conventions() {
  return [
    tablePanel({
      id: 9,
      title: 'Dialects',
      description:
        'Conventions that the spans of each agent speak beside OpenTelemetry’s own names. An agent that is not here sends those names alone. A ' +
        'new one is a new version or a second instrumentation.',
      query: 'coverage/dialects',
      gridPos: { x: 0, y: 35, w: 12, h: 9 },
      noValue: `All spans of agents have OpenTelemetry’s own names. ${noSpan}`,
      overrides: [
        agentColumn,
        ...countColumns('Spans'),
        column('Of its spans', { unit: 'percentunit', decimals: 0, 'custom.width': 110 }),
        ...agoColumns('First seen', 'Last seen'),
      ],
    }),
    tablePanel({
      id: 10,
      title: 'Told in log records',
      description:
        'Events that agents tell in log records, and how many of them name no trace. Of an agent that sends log records alone there are ' +
        'findings, and neither sums nor traces.',
      query: 'coverage/logs',
      gridPos: { x: 12, y: 35, w: 12, h: 9 },
      noValue: 'No agent told anything in log records in this time range. Coding agents do: docs/logs.md says how.',
      overrides: [
        agentColumn,
        ...countColumns('Records'),
        column('Without a trace', { unit: 'percentunit', decimals: 0, 'custom.width': 120 }),
        wordColumn('Agent sends', { 'log records alone': 'orange' }, { 'custom.width': 140 }),
        ...agoColumns('Last seen'),
        traceColumn,
      ],
    }),
  ];
}

function surroundings() {
  return [
    row(11, 'Where it runs', 44),
    tablePanel({
      id: 12,
      title: 'Sandbox',
      description:
        'Agents whose calls execute or install something, and what they say of their sandbox (spanwarden.sandbox, spanwarden.sandbox_disabled). ' +
        'Nobody checks it. Most agents tell nothing; there an executed command may do whatever its user may.',
      query: 'coverage/sandbox',
      gridPos: { x: 0, y: 45, w: 24, h: 8 },
      noValue: 'No call executed or installed anything in this time range, and no agent named a sandbox.',
      overrides: [
        agentColumn,
        wordColumn(
          'Verdict',
          { 'outside a sandbox': 'red', 'tells nothing': 'orange', 'in a sandbox': 'green' },
          { 'custom.width': 150 },
        ),
        ...countColumns('Calls that execute', 'Inside', 'Outside'),
        ...wrappedColumns('In its words'),
        ...agoColumns('Last seen'),
        traceColumn,
      ],
    }),
  ];
}

function tags() {
  return [
    row(13, 'What rules are for', 53),
    tablePanel({
      id: 14,
      title: 'OWASP and MITRE ATLAS',
      description:
        'Tags of the shipped rules, how many of these run, and what was found in this time range. No rule runs: a blind spot by choice. Quiet: ' +
        'rules run and nothing was found; whether they could, Rule health and `spanwarden rules status` say. Tags that only rules of ' +
        'yours have are here once these find something.',
      query: 'coverage/tags',
      gridPos: { x: 0, y: 54, w: 24, h: 12 },
      noValue: 'No rule runs and none found anything: does a collector run, and is detect.rules set?',
      overrides: [
        column('Tag', { links: [rowLink('Rule health', 'spanwarden-rules', {})], 'custom.width': 200 }),
        wordColumn('Verdict', { 'no rule runs': 'red', quiet: 'text', fires: 'green' }, { 'custom.width': 130 }),
        ...countColumns('Rules shipped', 'Of these run', 'Rules that fired', 'Findings', 'Severe'),
        ...agoColumns('Last seen'),
      ],
    }),
  ];
}

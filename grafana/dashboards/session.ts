import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf, findingMarks } from '../dashboard.ts';
import { agentLink, boardsMenu, fieldOf, rowLink, sessionLink } from '../links.ts';
import {
  barsPanel,
  column,
  countColumns,
  hiddenColumns,
  levelColumn,
  logsPanel,
  nodeGraphPanel,
  orDash,
  row,
  statPanel,
  tablePanel,
  thresholds,
  tracePanel,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { textVariable } from '../variables.ts';

const uid = 'spanwarden-session';

const nothing =
  'Nothing is shown until a session or trace is chosen: follow one from another board, or paste an id into Session or Trace above. What ' +
  'stays empty then has been dropped by the retention of spans, or never came.';
const otherwise = 'Or none is chosen above.';

/** For whoever has to find out what happened in one run: every call in order, where its values came from, and what fired on it. */
export function sessionDashboard(): Dashboard {
  return dashboardOf({
    uid,
    title: 'Session & trace',
    description:
      'What happened in one run, call by call: what went in, what came out, where it came from, and what fired.',
    links: [boardsMenu()],
    annotations: [findingMarks('Findings', 'session/annotation-findings')],
    variables: [
      textVariable({
        name: 'session',
        label: 'Session',
        description: 'Id of the session: a conversation, stitched calls, or a trace. Empty: the trace alone.',
      }),
      textVariable({
        name: 'trace_id',
        label: 'Trace',
        description:
          'Id of a trace, 32 hex digits: the one that is shown as a tree; without a session, all that is looked at.',
      }),
    ],
    panels: [...whatPanels(), ...callPanels(), ...whyPanels(), ...treePanels(), ...aroundPanels()],
  });
}

function whatPanels() {
  return [
    row(1, 'The run', 0),
    tablePanel({
      id: 2,
      title: 'What it is',
      description:
        'The session or trace that is named above: who ran, for whom and when. Of a trace, follow the session to see all of it. Follow ' +
        'Started to set the time range to it.',
      query: 'session/what',
      gridPos: { x: 0, y: 1, w: 24, h: 4 },
      noValue: nothing,
      overrides: [
        column('Session id', { links: [sessionLink('Session id')] }),
        column('Known by', { 'custom.width': 110 }),
        // Of several, the link leads to one.
        column('Agents', { links: [agentLink()] }),
        column('Started', { unit: 'dateTimeAsIso', links: [zoomLink()], 'custom.width': 175 }),
        column('Ended', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        ...countColumns('Traces'),
        ...hiddenColumns('Agent', 'From', 'To'),
      ],
    }),
    statPanel({
      id: 3,
      title: 'In figures',
      description:
        'Calls, spans that failed, findings, tokens and cost by list prices; tokens that spans restate are counted once. How long it ' +
        'took from the first start to the last end.',
      query: 'session/figures',
      gridPos: { x: 0, y: 5, w: 24, h: 4 },
      noValue: 'nothing is chosen',
      colorMode: BigValueColorMode.Value,
      overrides: [
        ...['model calls', 'tool calls', 'input tokens', 'output tokens'].map((name) => column(name, plain)),
        column('errors', thresholds([null, 'text'], [1, 'orange'])),
        column('findings', thresholds([null, 'text'], [1, 'red'])),
        column('cost', { ...plain, unit: 'currencyUSD', decimals: 4, noValue: 'no price known' }),
        column('duration', { ...plain, unit: 'ms', decimals: 1 }),
      ],
    }),
  ];
}

/** The day stands on top of the board. */
const momentOfDay = { unit: 'time:HH:mm:ss.SSS', 'custom.width': 110 };
const plain = { color: { mode: 'fixed', fixedColor: 'text' } };

function callPanels() {
  return [
    row(4, 'Call by call', 9),
    tablePanel({
      id: 5,
      title: 'Calls of models and tools, in order',
      description:
        'The first 1,000 calls: a model with the newest message it was given and its answer, a tool with its arguments and result, each ' +
        'cut at 500 characters; how long it took, tokens, cost, errors, approvals, and the rules that fired on it. Follow a call to see ' +
        'its trace as a tree below.',
      query: 'session/calls',
      gridPos: { x: 0, y: 10, w: 24, h: 15 },
      noValue: `${nothing} A trace without a call of a model or a tool has none here either.`,
      overrides: [
        column('Time', momentOfDay),
        wordColumn('Kind', { model: 'blue', tool: 'purple' }, { 'custom.width': 105 }),
        column('Name', { links: [treeLink()], 'custom.width': 150 }),
        levelColumn('Worst'),
        column('Findings', {
          color: { mode: 'fixed', fixedColor: 'red' },
          'custom.cellOptions': { type: 'color-text', wrapText: true },
          'custom.width': 170,
        }),
        ...['Arguments or newest message', 'Result or answer'].map((name) =>
          column(name, { 'custom.cellOptions': { type: 'auto', wrapText: true }, 'custom.width': 340 }),
        ),
        column('Duration', { unit: 'ns', 'custom.width': 85 }),
        ...['In', 'Out'].map((name) => column(name, { unit: 'short', 'custom.width': 70, ...orDash })),
        column('Cost', { unit: 'currencyUSD', decimals: 4, 'custom.width': 80, ...orDash }),
        column('Failed', {
          color: { mode: 'fixed', fixedColor: 'orange' },
          'custom.cellOptions': { type: 'color-text' },
          'custom.width': 120,
        }),
        wordColumn('Decision', { approved: 'green', denied: 'red' }, { 'custom.width': 90 }),
        column('Agent', { links: [agentLink()], 'custom.width': 130 }),
        column('TraceId', { 'custom.width': 120 }),
        column('Span', { 'custom.width': 150 }),
      ],
    }),
  ];
}

function whyPanels() {
  return [
    tablePanel({
      id: 6,
      title: 'Where values in arguments came from',
      description:
        'Arguments of proposed calls with consequences whose value only a tool result or document supplied, not the user, and the call ' +
        'whose result had it first; and what rules noted that follow values through the session. This is how an injected order becomes ' +
        'an act.',
      query: 'session/origins',
      gridPos: { x: 0, y: 25, w: 24, h: 9 },
      noValue: `No call of the run took a value from a tool result or document, as far as contents were captured. ${otherwise}`,
      overrides: [
        column('Time', momentOfDay),
        ...wrappedColumns('Argument', 'Value', 'Came from', 'Effect', 'Told by'),
        ...hiddenColumns('TraceId'),
      ],
    }),
    tablePanel({
      id: 7,
      title: 'What fired',
      description: 'Findings on the run in order, with what matched. Follow one to see all that its rule found.',
      query: 'session/findings',
      gridPos: { x: 0, y: 34, w: 24, h: 9 },
      noValue: `No rule fired on the run. ${otherwise}`,
      overrides: [
        column('Time', momentOfDay),
        levelColumn('Level'),
        column('Finding', {
          links: [
            treeLink(),
            rowLink('All findings of its rule', 'spanwarden-findings', { rule: 'Rule id' }),
            rowLink('Open the rule', 'spanwarden-rules', { rule: 'Rule id' }),
          ],
          'custom.width': 200,
        }),
        ...wrappedColumns('Why', 'What matched'),
        ...countColumns('Times'),
        ...hiddenColumns('Rule id', 'TraceId'),
      ],
    }),
  ];
}

function treePanels() {
  return [
    row(8, 'As a tree and as a graph', 43),
    tracePanel({
      id: 9,
      title: 'The trace as a tree',
      description:
        'The trace that is named above; of a session without one, the trace with the worst finding, else the newest. Choose another ' +
        `from the list beside it. ${nothing}`,
      query: 'session/trace',
      gridPos: { x: 0, y: 44, w: 15, h: 16 },
      noValue: nothing,
    }),
    tablePanel({
      id: 10,
      title: 'Its traces',
      description: 'Traces of the session in order, with calls, errors and findings. Follow one to see it as a tree.',
      query: 'session/traces',
      gridPos: { x: 15, y: 44, w: 9, h: 16 },
      noValue: nothing,
      overrides: [
        column('Time', momentOfDay),
        column('Begins with', { links: [treeLink()] }),
        levelColumn('Worst'),
        column('Duration', { unit: 'ms', 'custom.width': 90 }),
        ...countColumns('Findings', 'Models', 'Tools', 'Errors'),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
    nodeGraphPanel({
      id: 11,
      title: 'Who called what',
      description:
        'Agents, the models and tools they called, and the external domains that tools reached, each with the number of calls; red is ' +
        'the share that failed. A call without an agent is that of the agent of its trace.',
      query: 'session/graph-nodes',
      edgesQuery: 'session/graph-edges',
      gridPos: { x: 0, y: 60, w: 12, h: 14 },
      noValue: nothing,
    }),
    barsPanel({
      id: 12,
      title: 'Calls over time',
      description:
        'Calls in this time range, with findings as marks. A run is short: follow Started on top to set the time range to it.',
      query: 'session/timeline',
      gridPos: { x: 12, y: 60, w: 12, h: 14 },
      noValue: nothing,
      interval: '1s',
    }),
  ];
}

function aroundPanels() {
  return [
    row(13, 'Around it', 74),
    logsPanel({
      id: 14,
      title: 'Log lines of its traces',
      description: 'Log records that name a trace of the run, the first 500, as they were sent to the collector.',
      query: 'session/logs',
      gridPos: { x: 0, y: 75, w: 24, h: 12 },
      noValue: `No log record names a trace of the run: does its program send logs over OTLP? ${otherwise}`,
    }),
  ];
}

/** Shows the trace of the row as a tree and keeps the session. */
function treeLink() {
  const kept = ['datasource', 'session'].map((name) => `\${${name}:queryparam}`).join('&');
  return {
    title: 'Show its trace as a tree',
    url: `/d/${uid}?\${__url_time_range}&${kept}&var-trace_id=${fieldOf('TraceId')}`,
  };
}

/** Sets the time range to that of the run. */
function zoomLink() {
  const kept = ['datasource', 'session', 'trace_id'].map((name) => `\${${name}:queryparam}`).join('&');
  return { title: 'Set the time range to it', url: `/d/${uid}?${kept}&from=${fieldOf('From')}&to=${fieldOf('To')}` };
}

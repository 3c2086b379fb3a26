import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { agentLink, boardsMenu, filterLink, rowLink, sessionLink, traceOnlyLink } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  durationColumns,
  linesPanel,
  row,
  shareColumns,
  statPanel,
  tablePanel,
  thresholds,
  wrappedColumns,
} from '../panels.ts';
import { adHocVariables, queryVariable } from '../variables.ts';

const uid = 'spanwarden-cost';
const variables = ['agent', 'model'];

const noCall =
  'No model call in this time range that passes the filters above. Calls count from the release on that keeps what spans add up to.';
const noCost =
  'No call of this time range has a price, or none has tokens: “Calls without a price” says which models and why.';
const noTool = 'No tool call in this time range that passes the filters above: a span with gen_ai.tool.name.';
const noSession = 'No session with a model call in this time range.';
const money = (...names: readonly string[]) =>
  names.map((name) => column(name, { unit: 'currencyUSD', decimals: 4, 'custom.width': 105 }));

/** For whoever pays and whoever waits: what agents cost and how long they take. */
export function costDashboard(): Dashboard {
  return dashboardOf({
    uid,
    title: 'Cost & latency',
    description:
      'What agents, models, users and sessions cost, against the time before, and how fast and how surely they answer.',
    links: [boardsMenu()],
    variables: [
      queryVariable({
        name: 'agent',
        label: 'Agent',
        description: 'Agent that makes the calls; an agent without a name goes by its service.',
        query: 'inventory/variable-agent',
      }),
      queryVariable({
        name: 'model',
        label: 'Model',
        description: 'Model that answered, or the one asked for where no answer names one.',
        query: 'cost/variable-model',
      }),
      ...adHocVariables('inventory/ad-hoc-values', 'calls'),
    ],
    panels: [...spending(), ...byWhom(), ...sessions(), ...unpriced(), ...latency()],
  });
}

function spending() {
  return [
    row(1, 'Spending', 0),
    statPanel({
      id: 2,
      title: 'This time range and the one before',
      description:
        'US dollars by list price, against the time range of the same length before it. Tokens count once, however many spans say ' +
        'them; those in include what the provider’s cache served. Calls without a price cost nothing here, so that the sum is a ' +
        'lower bound while there are any.',
      query: 'cost/figures',
      gridPos: { x: 0, y: 1, w: 24, h: 4 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('spent', { unit: 'currencyUSD', decimals: 2 }),
        column('spent before', { unit: 'currencyUSD', decimals: 2 }),
        column('change', { unit: 'percentunit', decimals: 0 }),
        column('in from cache', { unit: 'percentunit', decimals: 0 }),
        column('calls without a price', thresholds([null, 'text'], [1, 'orange'])),
      ],
    }),
    barsPanel({
      id: 3,
      title: 'Cost by agent',
      description: 'US dollars of the ten dearest agents.',
      query: 'cost/agent-timeline',
      gridPos: { x: 0, y: 5, w: 8, h: 8 },
      noValue: noCost,
      unit: 'currencyUSD',
      interval: '5m',
    }),
    barsPanel({
      id: 4,
      title: 'Cost by model',
      description: 'US dollars of the ten dearest models.',
      query: 'cost/model-timeline',
      gridPos: { x: 8, y: 5, w: 8, h: 8 },
      noValue: noCost,
      unit: 'currencyUSD',
      interval: '5m',
    }),
    barsPanel({
      id: 5,
      title: 'Tokens',
      description: 'Tokens sent anew, those that the provider read from its cache, and those received.',
      query: 'cost/tokens',
      gridPos: { x: 16, y: 5, w: 8, h: 8 },
      noValue: `${noCall} Tokens come from gen_ai.usage.*.`,
      interval: '5m',
    }),
  ];
}

function byWhom() {
  return [
    row(6, 'By whom', 13),
    tablePanel({
      id: 7,
      title: 'By agent',
      description:
        'What each agent spent, against the time range before, its part of the sum and what one of its sessions costs. Sessions know ' +
        'no model: their number and price are those of all models.',
      query: 'cost/by-agent',
      gridPos: { x: 0, y: 14, w: 24, h: 8 },
      noValue: noCall,
      overrides: [
        column('Agent', { links: [filterLink(uid, variables, 'agent', 'Agent'), agentLink()] }),
        ...money('Cost', 'Before', 'Cost a session'),
        ...shareColumns('Change', 'Share', 'Error rate'),
        ...countColumns('Sessions', 'Model calls', 'Tokens', 'Without a price'),
      ],
    }),
    tablePanel({
      id: 8,
      title: 'By model',
      description:
        'What each model cost, how fast it answered (half of the calls within p50, and so on), how often it failed, and what a million ' +
        'of its tokens came to with what the cache saved.',
      query: 'cost/by-model',
      gridPos: { x: 0, y: 22, w: 24, h: 8 },
      noValue: noCall,
      overrides: [
        column('Model', { links: [filterLink(uid, variables, 'model', 'Model')] }),
        ...money('Cost', 'Cost of 1M tokens'),
        ...shareColumns('Error rate', 'From cache'),
        ...durationColumns('p50', 'p95', 'p99'),
        ...countColumns('Calls', 'Errors', 'Tokens in', 'Tokens out', 'Without a price'),
      ],
    }),
    tablePanel({
      id: 9,
      title: 'By user',
      description:
        'What the sessions of each user cost, by user.id of their spans, for the agent above. A choice of a model does not count here.',
      query: 'cost/by-user',
      gridPos: { x: 0, y: 30, w: 15, h: 8 },
      noValue: noSession,
      overrides: [
        ...money('Cost', 'Cost a session'),
        ...countColumns('Sessions', 'Tokens', 'Model calls'),
        ...agoColumns('Last seen'),
      ],
    }),
    barsPanel({
      id: 21,
      title: 'By user, over time',
      description:
        'US dollars of sessions at the time at which they began, of the ten dearest users. A choice of a model does not count here.',
      query: 'cost/user-timeline',
      gridPos: { x: 15, y: 30, w: 9, h: 8 },
      noValue: noCost,
      unit: 'currencyUSD',
      interval: '1h',
    }),
  ];
}

function sessions() {
  return [
    row(10, 'Sessions', 38),
    statPanel({
      id: 11,
      title: 'What a session costs',
      description:
        'Sessions with a model call that were under way in this time range, for the agent above, each with the days that the range ' +
        'touches. A choice of a model does not count here.',
      query: 'cost/sessions-figures',
      gridPos: { x: 0, y: 39, w: 10, h: 8 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: ['mean cost', 'median cost', 'p95 cost', 'dearest'].map((name) =>
        column(name, { unit: 'currencyUSD', decimals: 4 }),
      ),
    }),
    linesPanel({
      id: 12,
      title: 'Cost of a session over time',
      description:
        'By the time at which sessions began: the middle one, the one that 95 of 100 stay below, and the dearest.',
      query: 'cost/session-timeline',
      gridPos: { x: 10, y: 39, w: 14, h: 8 },
      noValue: noSession,
      unit: 'currencyUSD',
      interval: '1h',
    }),
    tablePanel({
      id: 13,
      title: 'The dearest sessions',
      description: 'The 100 sessions that cost most. Follow one to what happened in it.',
      query: 'cost/sessions',
      gridPos: { x: 0, y: 47, w: 24, h: 10 },
      noValue: noSession,
      overrides: [
        ...money('Cost'),
        column('Session', {
          links: [sessionLink()],
        }),
        column('Agent', { links: [agentLink()], 'custom.width': 170 }),
        column('User', { 'custom.width': 120 }),
        column('Started', { unit: 'dateTimeAsIso', 'custom.width': 165 }),
        column('Lasted', { unit: 'ms', decimals: 1, 'custom.width': 95 }),
        ...countColumns('Model calls', 'Tool calls', 'Errors', 'Tokens in', 'Tokens out'),
        column('TraceId', { 'custom.width': 290 }),
      ],
    }),
  ];
}

function unpriced() {
  return [
    tablePanel({
      id: 14,
      title: 'Calls without a price',
      description:
        'Calls that say their tokens and whose model has no price, so that no sum above holds them. Prices of your own go into ' +
        '`prices` of the config and count from then on; what is stored keeps its cost.',
      query: 'cost/unpriced',
      gridPos: { x: 0, y: 57, w: 24, h: 7 },
      noValue: 'Every call with tokens has a price.',
      overrides: [
        column('Model', { links: [filterLink(uid, variables, 'model', 'Model')], 'custom.width': 230 }),
        ...countColumns('Calls', 'Tokens'),
        ...wrappedColumns('Agents', 'Why'),
        ...agoColumns('First in range'),
        column('Last seen', { unit: 'dateTimeFromNow', links: [traceOnlyLink()], 'custom.width': 125 }),
        column('TraceId', { 'custom.width': 290 }),
      ],
    }),
  ];
}

function latency() {
  return [
    row(15, 'Latency and errors', 64),
    linesPanel({
      id: 16,
      title: 'Model calls: p50, p95, p99',
      description:
        'How long model calls took: half of them at most p50, 95 and 99 of 100 at most p95 and p99. Streams count to their end.',
      query: 'cost/latency',
      gridPos: { x: 0, y: 65, w: 12, h: 8 },
      noValue: noCall,
      unit: 'ns',
      interval: '5m',
    }),
    linesPanel({
      id: 17,
      title: 'Errors',
      description:
        'Which part of the calls ended with the status Error. A choice of a model counts for model calls alone.',
      query: 'cost/errors',
      gridPos: { x: 12, y: 65, w: 12, h: 8 },
      noValue: noCall,
      unit: 'percentunit',
      max: 1,
      interval: '5m',
    }),
    linesPanel({
      id: 18,
      title: 'p95 by model',
      description: 'The ten models that took most time in all.',
      query: 'cost/model-latency',
      gridPos: { x: 0, y: 73, w: 12, h: 8 },
      noValue: noCall,
      unit: 'ns',
      interval: '5m',
    }),
    linesPanel({
      id: 19,
      title: 'p95 by tool',
      description: 'The ten tools that took most time in all. A choice of a model does not count here.',
      query: 'cost/tool-latency',
      gridPos: { x: 12, y: 73, w: 12, h: 8 },
      noValue: noTool,
      unit: 'ns',
      interval: '5m',
    }),
    tablePanel({
      id: 20,
      title: 'Tools by the time they take',
      description: 'How long tools took and how often they failed. A choice of a model does not count here.',
      query: 'cost/by-tool',
      gridPos: { x: 0, y: 81, w: 24, h: 9 },
      noValue: noTool,
      overrides: [
        column('Tool', {
          links: [rowLink('This tool in the inventory', 'spanwarden-inventory', { tool: 'Tool' }), traceOnlyLink()],
        }),
        ...countColumns('Calls', 'Errors'),
        ...shareColumns('Error rate'),
        ...durationColumns('p50', 'p95', 'p99', 'Time in all'),
        ...wrappedColumns('Agents'),
        column('TraceId', { 'custom.width': 290 }),
      ],
    }),
  ];
}

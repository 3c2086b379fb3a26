import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { boardsMenu, rowLink } from '../links.ts';
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

const uid = 'spanwarden-rules';

const noCounters =
  'No counters in this time range. A collector writes them every minute, by the hour: does one run, and does an agent send to it?';
const share = (name: string) => column(name, { unit: 'percentunit', decimals: 0, 'custom.width': 110 });
const ruleColumn = (name: string) =>
  column(name, {
    links: [
      rowLink('Only this rule', uid, { rule: 'Rule id' }),
      rowLink('Its findings', 'spanwarden-findings', { rule: 'Rule id' }),
    ],
    'custom.width': 260,
  });

/** For whoever writes and tunes rules: which of them work, which are noise, which are dear, and which never fire. */
export function rulesDashboard(): Dashboard {
  return dashboardOf({
    uid,
    title: 'Rule health',
    description: 'Which rules work, which are noise, which are dear, and which cannot or do not fire.',
    links: [boardsMenu()],
    variables: [
      queryVariable({ name: 'rule', label: 'Rule', description: 'Rule that is loaded.', query: 'rules/variable-rule' }),
    ],
    panels: [...standing(), ...everyRule(), ...noise(), ...cost(), ...changes()],
  });
}

function standing() {
  return [
    row(1, 'How rules stand', 0),
    statPanel({
      id: 2,
      title: 'At a glance',
      description:
        'Rules that run now, and what they did in this time range: how many matched something and how many nothing, how many are ' +
        'disabled because they threw or took too long, how many failed on a span, matches that filters took away, the share of marked ' +
        'findings that were called false, and what all rules together take of a span.',
      query: 'rules/figures',
      gridPos: { x: 0, y: 1, w: 24, h: 4 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('disabled', thresholds([null, 'text'], [1, 'red'])),
        column('failing', thresholds([null, 'text'], [1, 'red'])),
        column('marked as false', { unit: 'percentunit', ...thresholds([null, 'text'], [0.5, 'orange']) }),
        column('cost of a span', { unit: 'µs' }),
      ],
    }),
    barsPanel({
      id: 3,
      title: 'Matches over time, by rule',
      description:
        'The nine rules with most matches and all others together, by the hour in which a span was judged. A step up that no new ' +
        'agent explains is a change of a rule: see what changes did, below.',
      query: 'rules/fires',
      gridPos: { x: 0, y: 5, w: 16, h: 8 },
      noValue: `No rule matched anything in this time range. ${noCounters}`,
      interval: '1h',
    }),
    tablePanel({
      id: 4,
      title: 'By level',
      description: 'Rules by their level: how many run, how many are disabled, how many matched something.',
      query: 'rules/by-level',
      gridPos: { x: 16, y: 5, w: 8, h: 8 },
      noValue: 'No rule is loaded: does a collector run, and is detect.rules set?',
      overrides: [levelColumn('Level'), ...countColumns('Running', 'Disabled', 'Fired', 'Matches')],
    }),
  ];
}

const verdictColours = {
  disabled: 'red',
  failing: 'red',
  'mostly false': 'orange',
  'no spans': 'yellow',
  'not loaded': 'yellow',
  fires: 'green',
  quiet: 'text',
};

/** A reason has up to 500 characters; in the 150 that a column gets otherwise one row would fill the panel. */
const whyWidth = 400;

function everyRule() {
  return [
    row(5, 'Every rule', 13),
    tablePanel({
      id: 6,
      title: 'Rules, those that want attention first',
      description:
        'What each rule saw and found in this time range. Disabled: it threw or took too long and waits for a reload. Failing: it threw. ' +
        'Mostly false: half or more of its marked findings, of all time, were called false. No spans: none of its logsource came; for a ' +
        'correlation, none of its rules matched. Not loaded: counted, and no collector runs it now. Quiet rules may be ones that cannot ' +
        'fire because a field never arrives: what a rule needs is not in the database, `spanwarden rules status` knows it.',
      query: 'rules/rules',
      gridPos: { x: 0, y: 14, w: 24, h: 12 },
      noValue: `No rule is loaded and none was counted. ${noCounters}`,
      overrides: [
        ruleColumn('Title'),
        levelColumn('Level'),
        wordColumn('Verdict', verdictColours, { 'custom.width': 110 }),
        ...countColumns('Matches', 'Findings', 'Spans', 'Agents', 'Marked', 'Suppressed', 'Errors'),
        column('Per 1,000 spans', { decimals: 2, 'custom.width': 120 }),
        share('False of marked'),
        column('Cost a span', { unit: 'µs', decimals: 1, 'custom.width': 100 }),
        ...agoColumns('Last match'),
        ...wrappedColumns('Why'),
        column('Why', { 'custom.width': whyWidth }),
      ],
    }),
    tablePanel({
      id: 7,
      title: 'Silent rules',
      description:
        'Rules that run and matched nothing in this time range, with what the counters say of the reason. A filter that takes everything ' +
        'away is the first to look at; then rules that look at no span, which wait for something that agents here do not send.',
      query: 'rules/silent',
      gridPos: { x: 0, y: 26, w: 14, h: 10 },
      noValue: 'Every rule that runs matched something, or no rule is loaded.',
      overrides: [
        ruleColumn('Rule'),
        levelColumn('Level'),
        ...countColumns('Spans', 'Looked at', 'Suppressed'),
        ...agoColumns('Last match'),
      ],
    }),
    tablePanel({
      id: 8,
      title: 'Stopped',
      description:
        'Rules that are disabled, with the reason, and the newest set of rules when collectors refused it and run the one before.',
      query: 'rules/stopped',
      gridPos: { x: 14, y: 26, w: 10, h: 10 },
      noValue: 'No rule is disabled, and no set of rules was refused.',
      overrides: [
        ...agoColumns('Since'),
        levelColumn('Level'),
        ruleColumn('Rule'),
        ...wrappedColumns('Why'),
        column('Why', { 'custom.width': whyWidth }),
      ],
    }),
  ];
}

function noise() {
  return [
    row(9, 'Noise', 36),
    tablePanel({
      id: 10,
      title: 'Findings by rule and agent',
      description:
        'Where tuning pays. An agent that makes most of what a rule finds wants an exception; many agents that do want a narrower rule. ' +
        'Findings are called false, benign or true by `spanwarden findings mark` and by closing their case.',
      query: 'rules/noisy',
      gridPos: { x: 0, y: 37, w: 14, h: 10 },
      noValue: 'No finding in this time range.',
      overrides: [
        column('Rule', {
          links: [rowLink('Its findings of this agent', 'spanwarden-findings', { rule: 'Rule id', agent: 'Agent' })],
          'custom.width': 220,
        }),
        levelColumn('Level'),
        column('Agent', {
          links: [rowLink('Open the agent', 'spanwarden-agent', { agent: 'Agent' })],
          'custom.width': 140,
        }),
        ...countColumns('Findings', 'Times', 'Called false', 'Called benign', 'Called true'),
        share('Of the rule'),
        ...agoColumns('Last seen'),
      ],
    }),
    tablePanel({
      id: 11,
      title: 'What filters took away',
      description:
        'Matches that a filter suppressed, and their share of all that the rule would have matched. At 100 % the filter has switched the ' +
        'rule off.',
      query: 'rules/suppressed',
      gridPos: { x: 14, y: 37, w: 10, h: 10 },
      noValue: 'No filter took anything away in this time range, or there are none.',
      overrides: [
        ruleColumn('Rule'),
        ...countColumns('Suppressed'),
        column('Of its matches', {
          unit: 'percentunit',
          decimals: 0,
          'custom.width': 120,
          'custom.cellOptions': { type: 'color-text' },
          ...thresholds([null, 'text'], [0.9, 'orange'], [1, 'red']),
        }),
        ...agoColumns('Last hour'),
      ],
    }),
    tablePanel({
      id: 12,
      title: 'By tag',
      description:
        'Findings by the tags of their rules: OWASP for LLM applications and for agents, MITRE ATLAS, ATT&CK, and tags of yours. A finding ' +
        'with several tags counts at each. Which tags no finding has, the board Coverage says.',
      query: 'rules/by-tag',
      gridPos: { x: 0, y: 47, w: 24, h: 8 },
      noValue: 'No finding with a tag in this time range.',
      overrides: [...countColumns('Severe', 'Findings', 'Rules', 'Agents'), ...agoColumns('Last seen')],
    }),
  ];
}

function cost() {
  return [
    row(13, 'Cost', 55),
    linesPanel({
      id: 14,
      title: 'What rules take of a span',
      description:
        'Time that all rules together, and the dearest of them, take of a span: means of what was timed in each hour.',
      query: 'rules/cost-over-time',
      gridPos: { x: 0, y: 56, w: 10, h: 9 },
      noValue: `Nothing was timed in this time range. ${noCounters}`,
      unit: 's',
      interval: '1h',
    }),
    tablePanel({
      id: 15,
      title: 'Dearest rules',
      description:
        'Time of each rule on a span, as it was timed on some, and on all spans that it was asked about. Looked at: the share of these ' +
        'spans on which its condition was evaluated, because no index ruled it out; a rule with 100 % wants a field that few spans have.',
      query: 'rules/cost',
      gridPos: { x: 10, y: 56, w: 14, h: 9 },
      noValue: `Nothing was timed in this time range. ${noCounters}`,
      overrides: [
        ruleColumn('Rule'),
        column('Cost a span', { unit: 'µs', decimals: 1, 'custom.width': 100 }),
        column('In all', { unit: 's', 'custom.width': 90 }),
        share('Of all rules'),
        share('Looked at'),
        ...countColumns('Spans', 'Timed'),
      ],
    }),
  ];
}

function changes() {
  return [
    row(16, 'Changes', 65),
    tablePanel({
      id: 17,
      title: 'What changes of rules did',
      description:
        'Each version of a rule that began to count in this time range, with its matches per 1,000 spans and those of the version before. ' +
        'The first hour is that of the first span it judged.',
      query: 'rules/versions',
      gridPos: { x: 0, y: 66, w: 14, h: 9 },
      noValue: 'No rule changed in this time range.',
      overrides: [
        column('Since', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        ruleColumn('Rule'),
        column('Per 1,000 spans', { decimals: 2, 'custom.width': 120 }),
        column('Per 1,000 before', { decimals: 2, 'custom.width': 130 }),
        ...countColumns('Matches', 'Spans'),
      ],
    }),
    tablePanel({
      id: 18,
      title: 'Fields that arrive no longer',
      description:
        'Attributes that spans of a category had in the 30 days before and not in the last day of this time range. Rules that need them have ' +
        'gone blind: an agent was updated, or captures less.',
      query: 'rules/fields',
      gridPos: { x: 14, y: 66, w: 10, h: 9 },
      noValue: 'Every field that arrived in the last 30 days still does, or nothing arrived.',
      overrides: [...agoColumns('Last seen'), ...countColumns('Days')],
    }),
  ];
}

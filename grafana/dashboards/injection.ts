import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { agentLink, boardsMenu, filterLink, rowLink, sessionLink, traceOnlyLink } from '../links.ts';
import {
  agoColumns,
  barGaugePanel,
  barsPanel,
  column,
  countColumns,
  levelColumn,
  linesPanel,
  type Override,
  row,
  shareColumns,
  statPanel,
  tablePanel,
  thresholds,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { adHocVariables, queryVariable } from '../variables.ts';

const uid = 'spanwarden-injection';

const stageColours = { detected: 'yellow', followed: 'orange', 'acted, way not seen': 'purple', acted: 'red' };

const noSession =
  'No commanding text was found in this time range under the filters above. Texts are read in messages, tool results and ' +
  'documents: where content is not captured nothing is found.';
const stages =
  'Detected: a rule found text that wants to command the model. Followed: from then on, a call was proposed with values that only ' +
  'such content brought. Acted: from then on, a call with consequences was recorded, on which a rule of at least medium level fired ' +
  'or which the content had asked for.';
const blindSpots =
  'Not seen: text that no rule knows; orders that need no value of the content (“delete everything”); calls on which no rule fires; ' +
  'whether a recorded call was refused; what lies outside the time range, since a session counts by its findings in it.';

/** For whoever asks whether the agents hold: what came in, what the model made of it, what was done. */
export function injectionDashboard(): Dashboard {
  return dashboardOf({
    uid,
    title: 'Prompt-injection funnel',
    description:
      'Of the sessions in which text tried to command the model: in how many did it follow, and in how many did it act.',
    links: [boardsMenu()],
    range: '7d',
    variables: [
      queryVariable({
        name: 'agent',
        label: 'Agent',
        description: 'Agent that the findings are about; an agent without a name goes by its service.',
        query: 'findings/variable-agent',
      }),
      ...adHocVariables('injection/ad-hoc-values'),
    ],
    panels: [...funnel(), ...sessions(), ...origins(), ...destinations(), ...signs()],
  });
}

function funnel() {
  return [
    row(1, 'How far it came', 0),
    barGaugePanel({
      id: 2,
      title: 'Sessions',
      description: `${stages} ${blindSpots}`,
      query: 'injection/funnel',
      gridPos: { x: 0, y: 1, w: 12, h: 6 },
      noValue: noSession,
      overrides: seriesColours(['detected', 'followed', 'acted']),
    }),
    statPanel({
      id: 3,
      title: 'From stage to stage',
      description:
        'What part of the sessions went on, and the middle time from the text to the call. Acted, way not seen: after the text came a ' +
        'call on which a rule of at least medium level fired, but no flow from the content to a call was seen: orders of the user ' +
        'itself, values that were changed on the way, or content that is not captured. These are in no other figure than detected.',
      query: 'injection/shares',
      gridPos: { x: 12, y: 1, w: 12, h: 6 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('followed of detected', { unit: 'percentunit', decimals: 0 }),
        column('acted of followed', { unit: 'percentunit', decimals: 0 }),
        column('acted, way not seen', thresholds([null, 'text'], [1, 'purple'])),
        column('detected to acted', { unit: 'ms' }),
      ],
    }),
    barsPanel({
      id: 4,
      title: 'Sessions by the furthest stage',
      description: `Each session once, at the time at which the text was detected, in the colour of the furthest stage. ${stages}`,
      query: 'injection/timeline',
      gridPos: { x: 0, y: 7, w: 14, h: 8 },
      noValue: noSession,
      overrides: [
        ...seriesColours(['acted, way not seen', 'acted']),
        colour('detected only', stageColours.detected),
        colour('followed, not acted', stageColours.followed),
      ],
    }),
    linesPanel({
      id: 5,
      title: 'Conversion',
      description:
        'Of the sessions in which text was detected in an interval: what part was followed, and what part acted, at any time.',
      query: 'injection/conversion',
      gridPos: { x: 14, y: 7, w: 10, h: 8 },
      noValue: noSession,
      unit: 'percentunit',
      max: 1,
      interval: '1h',
      overrides: seriesColours(['followed', 'acted']),
    }),
  ];
}

function sessions() {
  return [
    row(6, 'Sessions', 15),
    tablePanel({
      id: 7,
      title: 'Sessions, those that went furthest first',
      description:
        `${stages} Brought by: tools whose results the text or the values came from. Asked for: tools that proposed calls with ` +
        'such values name. Follow the session to what happened in it.',
      query: 'injection/sessions',
      gridPos: { x: 0, y: 16, w: 24, h: 11 },
      noValue: noSession,
      overrides: [
        wordColumn('Stage', stageColours, { 'custom.width': 150 }),
        column('Agent', { links: [agentLink()], 'custom.width': 130 }),
        column('Session', {
          links: [
            sessionLink(),
            rowLink('Its first trace, among the findings', 'spanwarden-findings', { trace_id: 'TraceId' }),
          ],
          'custom.width': 150,
        }),
        column('Detected', { unit: 'dateTimeAsIso', 'custom.width': 165 }),
        ...['Followed after', 'Acted after'].map((name) => column(name, { unit: 'ms', 'custom.width': 105 })),
        ...['Stood in', 'Brought by', 'Asked for', 'Calls that ran'].map((name) => wrapped(name, 130)),
        ...wrappedColumns('Rules'),
        column('TraceId', { 'custom.width': 110 }),
      ],
    }),
  ];
}

function origins() {
  const reached = [...countColumns('Detected'), stageCount('Followed', 'orange'), stageCount('Acted', 'red')];
  return [
    row(8, 'Who and from where', 27),
    tablePanel({
      id: 9,
      title: 'By agent',
      description:
        'The funnel of each agent, beside all sessions it had in this time range. Follow an agent to filter by it.',
      query: 'injection/by-agent',
      gridPos: { x: 0, y: 28, w: 12, h: 8 },
      noValue: noSession,
      overrides: [
        column('Agent', { links: [filterLink(uid, ['agent'], 'agent', 'Agent'), agentLink()] }),
        ...countColumns('Sessions'),
        ...reached,
        stageCount('Way not seen', 'purple'),
        ...shareColumns('Followed of detected'),
        ...agoColumns('Last detected'),
      ],
    }),
    tablePanel({
      id: 10,
      title: 'By source',
      description:
        'Where the text stood, and which tool brought it or the values that were used. A text in the messages of a model call names ' +
        'no tool until a value of it is used: not told. A session counts at each of its sources.',
      query: 'injection/by-source',
      gridPos: { x: 12, y: 28, w: 12, h: 8 },
      noValue: noSession,
      overrides: [
        column('Stood in', { links: [traceOnlyLink()], 'custom.width': 130 }),
        column('Brought by', {
          links: [rowLink('This tool in the inventory', 'spanwarden-inventory', { tool: 'Brought by' })],
        }),
        ...reached,
        ...agoColumns('Last detected'),
        column('TraceId', { 'custom.width': 110 }),
      ],
    }),
  ];
}

function destinations() {
  return [
    tablePanel({
      id: 11,
      title: 'Hosts that the content named',
      description:
        'Hosts that stood in content alone and that the model wanted to send or post to, in sessions that followed. Follow a host to ' +
        'what went there.',
      query: 'injection/by-domain',
      gridPos: { x: 0, y: 36, w: 12, h: 8 },
      noValue: 'No session that followed was led to a host by content.',
      overrides: [
        column('Host', {
          links: [traceOnlyLink(), rowLink('Data egress of these agents', 'spanwarden-egress', { agent: 'Agents' })],
        }),
        stageCount('Followed', 'orange'),
        stageCount('Acted', 'red'),
        column('Agents', { 'custom.width': 150 }),
        ...agoColumns('First followed', 'Last followed'),
        column('TraceId', { 'custom.width': 110 }),
      ],
    }),
    barsPanel({
      id: 12,
      title: 'Proposed with values of the content, commanded or not',
      description:
        'The ground that the funnel stands on: model calls that proposed a call with consequences whose values only new content ' +
        'supplied, by what the call does. Most are work as asked for. The filters beside the agent do not count here.',
      query: 'injection/proposals',
      gridPos: { x: 12, y: 36, w: 12, h: 8 },
      noValue: 'No model call of this time range proposed such a call, or messages are not captured.',
      interval: '1h',
    }),
  ];
}

function signs() {
  return [
    row(13, 'What is read', 44),
    tablePanel({
      id: 14,
      title: 'Rules behind each stage',
      description:
        'A rule is of a stage by its tags, as cases read them. Detected: OWASP llm01 or asi01, ATLAS t0051, t0054, t0068, without a ' +
        'tag of leaving or doing, or of at least medium level. Followed: with such a tag as well. Acted: a tag of leaving or doing, on ' +
        'a tool call. All findings count here, also those of sessions that reach no stage.',
      query: 'injection/rules',
      gridPos: { x: 0, y: 45, w: 24, h: 10 },
      noValue: noSession,
      overrides: [
        wordColumn('Stage', stageColours, { 'custom.width': 110 }),
        levelColumn('Level'),
        column('Rule', {
          links: [
            rowLink('Its findings', 'spanwarden-findings', { rule: 'Rule id' }),
            rowLink('How this rule does', 'spanwarden-rules', { rule: 'Rule id' }),
          ],
        }),
        ...countColumns('Findings', 'Sessions'),
        ...agoColumns('Last seen'),
        column('TraceId', { 'custom.width': 290 }),
        column('Rule id', { 'custom.width': 290 }),
      ],
    }),
    barsPanel({
      id: 15,
      title: 'Hidden characters over time',
      description:
        'Spans with characters that people do not see: tag characters and variation selectors carry text, zero-width and direction ' +
        'marks break words up; the latter stand in ordinary web text, too.',
      query: 'injection/hidden',
      gridPos: { x: 0, y: 55, w: 12, h: 8 },
      noValue: 'No hidden characters in any text of this time range.',
      interval: '1h',
    }),
    tablePanel({
      id: 16,
      title: 'Hidden characters by agent and tool',
      description: 'Who met them, in the arguments or results of which tool, or in the messages of a model call.',
      query: 'injection/hidden-tools',
      gridPos: { x: 12, y: 55, w: 12, h: 8 },
      noValue: 'No hidden characters in any text of this time range.',
      overrides: [
        column('Characters', { links: [traceOnlyLink()], 'custom.width': 140 }),
        column('Agent', { links: [agentLink()] }),
        ...countColumns('Spans'),
        ...agoColumns('First in range', 'Last seen'),
        column('TraceId', { 'custom.width': 110 }),
      ],
    }),
  ];
}

function stageCount(name: string, reached: string): Override {
  return column(name, {
    ...thresholds([null, 'text'], [1, reached]),
    'custom.cellOptions': { type: 'color-text' },
    'custom.width': 95,
  });
}

function wrapped(name: string, width: number): Override {
  return column(name, { 'custom.cellOptions': { type: 'auto', wrapText: true }, 'custom.width': width });
}

function seriesColours(names: readonly (keyof typeof stageColours)[]): Override[] {
  return names.map((name) => colour(name, stageColours[name]));
}

function colour(name: string, fixedColor: string): Override {
  return column(name, { color: { mode: 'fixed', fixedColor } });
}

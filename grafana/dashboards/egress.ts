import { BigValueColorMode, type Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { agentLink, boardsMenu, filterLink, rowLink, sessionLink, traceOnlyLink } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  levelColumn,
  nodeGraphPanel,
  row,
  statPanel,
  tablePanel,
  thresholds,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { adHocVariables, queryVariable } from '../variables.ts';

const uid = 'spanwarden-egress';
const variables = ['agent', 'domain'];

const noDomain =
  'No call of this time range that passes the filters above names a domain outside. Domains are read from the arguments of tool ' +
  'calls: where those are not captured nothing is seen.';
const noSensitive =
  'No secret and no personal data in what calls of this time range send, post, pay or execute, or their arguments are not captured.';
const bytes = (name: string) => column(name, { unit: 'bytes', 'custom.width': 95 });

/** For whoever has to say what left the house: who sent what where. */
export function egressDashboard(): Dashboard {
  return dashboardOf({
    uid,
    title: 'Data egress',
    description: 'Who sent what where: domains outside, secrets and personal data that went there, and what is new.',
    links: [boardsMenu()],
    range: '7d',
    variables: [
      queryVariable({
        name: 'agent',
        label: 'Agent',
        description: 'Agent whose calls they are; an agent without a name goes by its service.',
        query: 'egress/variable-agent',
      }),
      queryVariable({
        name: 'domain',
        label: 'Domain',
        description: 'Registrable domain, or bare address, that calls named.',
        query: 'egress/variable-domain',
      }),
      ...adHocVariables('egress/ad-hoc-values', 'values'),
    ],
    panels: [...domains(), ...overTime(), ...sensitive(), ...ways(), ...findings()],
  });
}

function domains() {
  return [
    row(1, 'Where to', 0),
    statPanel({
      id: 2,
      title: 'How much',
      description:
        'Registrable domains outside that calls named in this time range, how many of them no earlier span named, calls, and the ' +
        'bytes of their bodies as far as arguments tell them. Sensitive is a call in whose arguments a kind of secret or personal ' +
        'data was found. A call that names two domains counts at each.',
      query: 'egress/figures',
      gridPos: { x: 0, y: 1, w: 24, h: 4 },
      noValue: 'none',
      colorMode: BigValueColorMode.Value,
      overrides: [
        column('new domains', thresholds([null, 'text'], [1, 'orange'])),
        column('bytes sent', { unit: 'bytes' }),
        ...['domains with sensitive data', 'sensitive calls', 'agents that sent it'].map((name) =>
          column(name, thresholds([null, 'text'], [1, 'red'])),
        ),
      ],
    }),
    tablePanel({
      id: 3,
      title: 'Domains, new ones first',
      description:
        'Domains outside, by whom and by which tools they were named. New: no span before this time range named it, within what is ' +
        'kept. Follow a domain to see who named it when, or to the session in which it first or last came up.',
      query: 'egress/domains',
      gridPos: { x: 0, y: 5, w: 24, h: 11 },
      noValue: noDomain,
      overrides: [
        column('Domain', {
          links: [
            filterLink(uid, variables, 'domain', 'Domain'),
            { ...traceOnlyLink('First trace'), title: 'Trace that named it first' },
            { ...traceOnlyLink(), title: 'Trace that named it last' },
          ],
          'custom.width': 230,
        }),
        wordColumn('State', { new: 'red', known: 'text' }, { 'custom.width': 75 }),
        ...countColumns('Calls'),
        bytes('Bytes'),
        column('Secrets and personal data', {
          color: { mode: 'fixed', fixedColor: 'red' },
          'custom.cellOptions': { type: 'color-text' },
        }),
        ...wrappedColumns('Agents', 'Tools'),
        ...agoColumns('First seen', 'Last seen'),
        column('First trace', { 'custom.width': 120 }),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
  ];
}

function overTime() {
  return [
    barsPanel({
      id: 4,
      title: 'Calls by domain',
      description: 'Calls that named one of the ten domains that are named most, by the hour at the finest.',
      query: 'egress/timeline',
      gridPos: { x: 0, y: 16, w: 12, h: 8 },
      noValue: noDomain,
      interval: '1h',
    }),
    barsPanel({
      id: 5,
      title: 'Bytes sent by agent',
      description: 'Bytes of bodies that calls to domains outside carry, of the ten agents that send most.',
      query: 'egress/bytes',
      gridPos: { x: 12, y: 16, w: 12, h: 8 },
      noValue: noDomain,
      unit: 'bytes',
      interval: '1h',
    }),
  ];
}

function sensitive() {
  return [
    row(6, 'Secrets and personal data', 24),
    tablePanel({
      id: 7,
      title: 'What went where',
      description:
        'Which kind of secret or personal data which tool of which agent sent to which domain. Kinds are told by their form, so ' +
        'that an e-mail address of the recipient counts as personal data as well.',
      query: 'egress/sensitive',
      gridPos: { x: 0, y: 25, w: 15, h: 10 },
      noValue: noSensitive,
      overrides: [
        column('What', { links: [traceOnlyLink()], 'custom.width': 130 }),
        column('Agent', { links: [agentLink()], 'custom.width': 150 }),
        column('Tool', {
          links: [rowLink('Its findings', 'spanwarden-findings', { tool: 'Tool' })],
          'custom.width': 140,
        }),
        column('Domain', { links: [filterLink(uid, variables, 'domain', 'Domain')] }),
        ...countColumns('Calls'),
        bytes('Bytes'),
        ...agoColumns('First seen', 'Last seen'),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
    barsPanel({
      id: 8,
      title: 'Over time, wherever it went',
      description:
        'Calls with secrets or personal data in what they send, post, pay or execute, by kind: hosts inside, e-mail and payments ' +
        'as well, for the agent above. A choice of a domain does not count here.',
      query: 'egress/sensitive-timeline',
      gridPos: { x: 15, y: 25, w: 9, h: 10 },
      noValue: noSensitive,
      interval: '1h',
    }),
  ];
}

function ways() {
  return [
    row(9, 'By which way', 35),
    nodeGraphPanel({
      id: 10,
      title: 'Agent → tool → domain',
      description:
        'The 40 most important ways, those with secrets or personal data first: calls in the middle, bytes below. Red is where such ' +
        'data went.',
      query: 'egress/nodes',
      edgesQuery: 'egress/edges',
      gridPos: { x: 0, y: 36, w: 11, h: 13 },
      noValue: noDomain,
    }),
    tablePanel({
      id: 11,
      title: 'Classes of hosts',
      description:
        'What kind of host calls named, for the agent above. metadata is where clouds hand out credentials of the machine: no agent ' +
        'has business there. A choice of a domain does not count here.',
      query: 'egress/host-classes',
      gridPos: { x: 11, y: 36, w: 13, h: 13 },
      noValue: 'No call of this time range names a host.',
      overrides: [
        wordColumn(
          'Class',
          { metadata: 'red', link_local: 'orange', external: 'text', unspecified: 'orange', reserved: 'orange' },
          { 'custom.width': 110 },
        ),
        ...countColumns('Calls'),
        ...wrappedColumns('Agents', 'Tools'),
        ...agoColumns('First in range'),
        column('Last seen', { unit: 'dateTimeFromNow', links: [traceOnlyLink()], 'custom.width': 125 }),
        column('TraceId', { 'custom.width': 120 }),
      ],
    }),
    tablePanel({
      id: 12,
      title: 'Who named ${domain}, and when',
      description:
        'One line for each hour, agent and tool, for the domain above; all of them while none is chosen. Follow the time to the ' +
        'last session of the hour.',
      query: 'egress/log',
      gridPos: { x: 0, y: 49, w: 24, h: 9 },
      noValue: noDomain,
      overrides: [
        column('Last seen', { unit: 'dateTimeAsIso', links: [traceOnlyLink()], 'custom.width': 175 }),
        column('Domain', { links: [filterLink(uid, variables, 'domain', 'Domain')] }),
        column('Agent', { links: [agentLink()] }),
        ...countColumns('Calls'),
        bytes('Bytes'),
        column('First trace', { links: [traceOnlyLink('First trace')], 'custom.width': 290 }),
        column('TraceId', { 'custom.width': 290 }),
      ],
    }),
  ];
}

function findings() {
  return [
    row(13, 'What rules say', 58),
    tablePanel({
      id: 14,
      title: 'Findings that something left',
      description:
        'Findings whose rule carries a tag of exfiltration (ATLAS t0025, t0057, t0077, t0086, ATT&CK exfiltration), as cases read ' +
        'them. With a domain chosen: those whose evidence names it.',
      query: 'egress/findings',
      gridPos: { x: 0, y: 59, w: 24, h: 11 },
      noValue:
        'No rule about exfiltration fired in this time range under the filters above. Rules that find nothing may lack content: ' +
        'see the coverage dashboard.',
      overrides: [
        column('Time', { unit: 'dateTimeAsIso', 'custom.width': 175 }),
        levelColumn('Level'),
        column('Finding', {
          links: [
            rowLink('Its trace, among the findings', 'spanwarden-findings', { trace_id: 'TraceId', rule: 'Rule id' }),
            rowLink('How this rule does', 'spanwarden-rules', { rule: 'Rule id' }),
          ],
          'custom.width': 240,
        }),
        column('Agent', { links: [agentLink()], 'custom.width': 130 }),
        column('Tool', { 'custom.width': 120 }),
        ...wrappedColumns('What matched'),
        ...countColumns('Times'),
        column('Session', {
          links: [sessionLink()],
          'custom.width': 150,
        }),
        column('TraceId', { 'custom.width': 110 }),
        column('Rule id', { 'custom.width': 90 }),
      ],
    }),
  ];
}

import type { Dashboard } from '@grafana/schema';
import { dashboardOf } from '../dashboard.ts';
import { boardsMenu, rowLink } from '../links.ts';
import {
  agoColumns,
  barsPanel,
  column,
  countColumns,
  linesPanel,
  row,
  tablePanel,
  thresholds,
  wordColumn,
  wrappedColumns,
} from '../panels.ts';
import { queryVariable } from '../variables.ts';

const noFigures =
  'No figures of a collector in this time range. Collectors write their own metrics once a minute (telemetry.metrics.interval_ms, not off): ' +
  'does one run, and does it reach ClickHouse? `spanwarden doctor` says.';
const noDestination = `No destination is configured (section export of the config), or ${noFigures.charAt(0).toLowerCase()}${noFigures.slice(1)}`;
const bytes = (name: string) => column(name, { unit: 'bytes', 'custom.width': 130 });
const alarm = (name: string, from: number, unit = 'short') =>
  column(name, {
    unit,
    'custom.width': 110,
    'custom.cellOptions': { type: 'color-text' },
    ...thresholds([null, 'text'], [from, 'red']),
  });

/** For whoever runs collectors: does everything that is sent arrive, is judged, stored and exported; and if not, where does it wait. */
export function healthDashboard(): Dashboard {
  return dashboardOf({
    uid: 'spanwarden-health',
    title: 'Collector & export health',
    description:
      'Does everything that is sent arrive, get stored and get out again; and if not, where it waits and what was lost.',
    links: [boardsMenu()],
    variables: [
      queryVariable({
        name: 'collector',
        label: 'Collector',
        description: 'Collector by the id of its spool, which stays the same over restarts (service.instance.id).',
        query: 'health/variable-collector',
      }),
    ],
    panels: [...standing(), ...intake(), ...storing(), ...detecting(), ...exporting()],
  });
}

function standing() {
  return [
    row(1, 'How collectors stand', 0),
    tablePanel({
      id: 2,
      title: 'Collectors',
      description:
        'The newest figures of each collector in the last 15 minutes of this time range, those in trouble first. One that is missing here has ' +
        'written nothing for 15 minutes: it is down, or ClickHouse is. Its figures come to ClickHouse by its spool, so those of one that ' +
        'is behind come late; its /metrics and `spanwarden doctor` tell at once.',
      query: 'health/collectors',
      gridPos: { x: 0, y: 1, w: 24, h: 6 },
      noValue: `${noFigures} Choose a time range that ends now.`,
      overrides: [
        column('Collector', {
          links: [rowLink('Only this collector', 'spanwarden-health', { collector: 'Collector' })],
          'custom.width': 150,
        }),
        wordColumn('State', stateColours, { 'custom.width': 180 }),
        ...agoColumns('Last figures', 'Last span'),
        bytes('Waits for ClickHouse'),
        alarm('Oldest waits', 300, 's'),
        bytes('Set aside'),
        column('Of its memory', { unit: 'percentunit', decimals: 0, 'custom.width': 110 }),
        ...countColumns('Rules'),
        alarm('Disabled', 1),
      ],
    }),
    tablePanel({
      id: 3,
      title: 'What was refused, cut or lost',
      description:
        'Every counter of refusals, limits and losses that went up in this time range. Most are told to the sender, which tries again; what is ' +
        'lost for good is what a receiver refused, and records gone before a destination read them.',
      query: 'health/lost',
      gridPos: { x: 0, y: 7, w: 24, h: 7 },
      noValue: `Nothing was refused, cut or lost in this time range, or: ${noFigures}`,
      overrides: [
        column('What', { 'custom.width': 260 }),
        ...countColumns('Count', 'Collectors'),
        ...agoColumns('Last seen'),
        ...wrappedColumns('Metric'),
      ],
    }),
  ];
}

const stateColours = {
  fine: 'green',
  'memory is short': 'orange',
  'runs older rules': 'orange',
  'ClickHouse is behind': 'red',
  'takes nothing: disk is short': 'red',
};

function intake() {
  return [
    row(4, 'Taking in', 14),
    linesPanel({
      id: 5,
      title: 'Taken in, a second',
      description:
        'Spans, log records and data points that were taken in, and spans that were refused for good, on average a second.',
      query: 'health/received',
      gridPos: { x: 0, y: 15, w: 12, h: 8 },
      noValue: noFigures,
      unit: 'cps',
      interval: '2m',
      overrides: [column('spans refused', { color: { mode: 'fixed', fixedColor: 'red' } })],
    }),
    linesPanel({
      id: 6,
      title: 'How long senders wait',
      description:
        'From the decoded request to its acknowledgement, which comes after the fsync: half, 95 and 99 of 100 requests within. Read out of ' +
        'buckets, so that figures between their bounds are estimates.',
      query: 'health/ack',
      gridPos: { x: 12, y: 15, w: 12, h: 8 },
      noValue: `No request was acknowledged in this time range. ${noFigures}`,
      unit: 's',
      interval: '2m',
    }),
    barsPanel({
      id: 7,
      title: 'Requests by answer',
      description:
        'Requests by HTTP status or gRPC code. 401 and 403: tokens. 429: a token’s limit. 503: no room, the sender tries again; a few are ' +
        'back-pressure at work, many are a collector that is too small.',
      query: 'health/requests',
      gridPos: { x: 0, y: 23, w: 8, h: 8 },
      noValue: noFigures,
      interval: '2m',
    }),
    barsPanel({
      id: 8,
      title: 'Requests put off',
      description:
        'Requests answered 503 before they were taken, by reason: bytes under way, the wait that was foreseen, memory, or late. ' +
        'docs/operations.md says what each asks for.',
      query: 'health/refused',
      gridPos: { x: 8, y: 23, w: 8, h: 8 },
      noValue: `No request was put off in this time range, or: ${noFigures}`,
      interval: '2m',
    }),
    linesPanel({
      id: 9,
      title: 'Memory',
      description:
        'Memory of the fullest collector of those chosen, what is in it, and the lowest limit. At 85 % requests are put off. The embedded ' +
        'ClickHouse is a process of its own and not in it.',
      query: 'health/memory',
      gridPos: { x: 16, y: 23, w: 8, h: 8 },
      noValue: noFigures,
      unit: 'bytes',
      interval: '2m',
      overrides: [column('limit', { color: { mode: 'fixed', fixedColor: 'red' } })],
    }),
  ];
}

function storing() {
  return [
    row(10, 'Storing', 31),
    linesPanel({
      id: 11,
      title: 'Waits for ClickHouse',
      description: 'Bytes in the spool of each collector that ClickHouse does not have yet, the most in each interval.',
      query: 'health/spool',
      gridPos: { x: 0, y: 32, w: 8, h: 8 },
      noValue: noFigures,
      unit: 'bytes',
      interval: '2m',
    }),
    linesPanel({
      id: 12,
      title: 'Oldest record that waits',
      description:
        'How long the oldest record in the spool of each collector has waited. A line that rises without end is a ClickHouse that takes nothing.',
      query: 'health/spool-age',
      gridPos: { x: 8, y: 32, w: 8, h: 8 },
      noValue: noFigures,
      unit: 's',
      interval: '2m',
    }),
    linesPanel({
      id: 13,
      title: 'Until spans can be seen',
      description:
        'From taking in the first span of a segment until all of it is in ClickHouse: half, 95 and 99 of 100 segments within.',
      query: 'health/store-lag',
      gridPos: { x: 16, y: 32, w: 8, h: 8 },
      noValue: `No segment was stored in this time range. ${noFigures}`,
      unit: 's',
      interval: '2m',
    }),
    barsPanel({
      id: 14,
      title: 'Rows stored',
      description: 'Rows that came to ClickHouse, by table.',
      query: 'health/stored',
      gridPos: { x: 0, y: 40, w: 12, h: 8 },
      noValue: noFigures,
      interval: '2m',
    }),
    barsPanel({
      id: 15,
      title: 'Trouble',
      description:
        'Inserts that were tried again, rows that ClickHouse had noted and lost and that were sent again, rows that it refused and that lie in ' +
        'dead-letter/, and batches whose detection failed: their spans are stored and no rule saw them.',
      query: 'health/store-trouble',
      gridPos: { x: 12, y: 40, w: 12, h: 8 },
      noValue: noFigures,
      interval: '2m',
      overrides: [
        colour('inserts tried again', 'yellow'),
        colour('rows restored', 'blue'),
        colour('rows refused', 'red'),
        colour('batches without detection', 'dark-red'),
      ],
    }),
  ];
}

function detecting() {
  return [
    row(16, 'Judging', 48),
    barsPanel({
      id: 17,
      title: 'Too late, hurried or let go',
      description:
        'Events that came too late for rules over several spans, those judged before their time because too many waited, and groups, sessions, ' +
        'cases and repeats that were let go because there were too many. Late: look at senders that hold spans back, and at ' +
        'detect.allowed_lateness_ms. Let go: more limits.memory remembers more.',
      query: 'health/forgotten',
      gridPos: { x: 0, y: 49, w: 24, h: 7 },
      noValue: `Nothing came too late and nothing was let go in this time range, or: ${noFigures}`,
      interval: '2m',
    }),
  ];
}

function exporting() {
  return [
    row(18, 'Exporting', 56),
    tablePanel({
      id: 19,
      title: 'Destinations',
      description:
        'How each destination of each collector stands in the last 15 minutes of this time range, those in trouble first. Reads behind: the ' +
        'stream has more than was read. `spanwarden export status` tells the reason of a failure, `export retry` sends dead letters again.',
      query: 'health/destinations',
      gridPos: { x: 0, y: 57, w: 14, h: 8 },
      noValue: noDestination,
      overrides: [
        column('Destination', { 'custom.width': 160 }),
        wordColumn(
          'State',
          { ok: 'green', retrying: 'orange', misconfigured: 'red', stopped: 'red' },
          { 'custom.width': 120 },
        ),
        ...countColumns('Waiting'),
        alarm('Oldest waits', 300, 's'),
        alarm('Dead letters', 1),
        ...agoColumns('Last delivered'),
      ],
    }),
    linesPanel({
      id: 20,
      title: 'Oldest event that waits',
      description:
        'Age of the oldest event that a destination has not got, the most in each interval and over collectors.',
      query: 'health/destination-lag',
      gridPos: { x: 14, y: 57, w: 10, h: 8 },
      noValue: noDestination,
      unit: 's',
      interval: '2m',
    }),
    tablePanel({
      id: 21,
      title: 'What became of events',
      description:
        'Findings and cases by destination in this time range: delivered, let be by its filter, requests that were tried again, events that the ' +
        'receiver refused for good (dead letters), and records that were gone before they could be read.',
      query: 'health/delivered',
      gridPos: { x: 0, y: 65, w: 24, h: 7 },
      noValue: noDestination,
      overrides: [
        ...countColumns('Delivered', 'Let be', 'Retries'),
        alarm('Refused', 1),
        alarm('Lost', 1),
        ...agoColumns('Last delivered'),
      ],
    }),
  ];
}

function colour(name: string, fixedColor: string) {
  return column(name, { color: { mode: 'fixed', fixedColor } });
}

/**
 * How the tables lie on servers. `single` has no layout: its statements are those of the migrations. For a cluster each is
 * rewritten, so that there is one schema and not three.
 */
export interface Layout {
  /** The cluster's name in `remote_servers` of each server. */
  readonly cluster: string;
  /** Whether a table lies on every server, or each shard has its rows in `<table>_local` and `<table>` reads them all. */
  readonly mode: 'replicated' | 'sharded';
  /** False for a cluster without Keeper: each statement is then to be run on each server. Default true. */
  readonly keeper?: boolean;
}

const conversationElse = (attributes: string) =>
  `if(${attributes}['gen_ai.conversation.id'] != '', ${attributes}['gen_ai.conversation.id'], TraceId)`;
const metricKey = 'concat(ServiceName, MetricName)';

/**
 * What decides on the shard of a row, and which tables can be read over all shards. Spans lie by conversation, else trace,
 * beside their messages. Rows that replace one another or are added up have to meet, so theirs is part of their sorting key.
 */
const shardKeys: Readonly<Record<string, string>> = {
  otel_traces: conversationElse('SpanAttributes'),
  otel_traces_trace_id_ts: 'TraceId',
  agent_activity: 'Agent',
  agent_values: 'concat(Kind, Value)',
  session_activity: 'SessionId',
  otel_logs: conversationElse('LogAttributes'),
  otel_messages: 'Conversation',
  otel_metrics_gauge: metricKey,
  otel_metrics_sum: metricKey,
  otel_metrics_histogram: metricKey,
  otel_metrics_exponential_histogram: metricKey,
  otel_metrics_summary: metricKey,
  findings: 'FindingId',
  finding_marks: 'FindingId',
  cases: 'CaseId',
  case_events: 'CaseId',
  rule_stats: 'RuleId',
  rule_states: 'RuleId',
  seen_fields: 'Field',
};

const heads = {
  database: /^CREATE DATABASE IF NOT EXISTS \w+/,
  table: /^CREATE TABLE IF NOT EXISTS (\w+)\.(\w+)/,
  materialized: /^CREATE MATERIALIZED VIEW IF NOT EXISTS \w+\.\w+/,
  view: /^CREATE (?:OR REPLACE VIEW|VIEW IF NOT EXISTS) \w+\.\w+/,
  alter: /^ALTER TABLE (\w+)\.(\w+)/,
  drop: /^DROP TABLE IF EXISTS \w+\.\w+/,
  rename: /^RENAME TABLE/,
  copy: /^INSERT INTO \w+\.\w+ SELECT/,
} as const;

/**
 * Statements that do on a cluster what one of a migration does on a single server. Throws a TypeError for a form that no
 * migration has had so far.
 *
 * https://clickhouse.com/docs/engines/table-engines/mergetree-family/replication
 * https://clickhouse.com/docs/sql-reference/distributed-ddl
 */
export function onLayout(statement: string, layout: Layout | undefined): string[] {
  if (layout === undefined) return [statement];
  const kind = (Object.keys(heads) as (keyof typeof heads)[]).find((each) => heads[each].test(statement));
  // With the first migrations on a new cluster there is nothing to copy, and later ones do not copy.
  if (kind === 'copy') return [];
  const on = onCluster(layout);
  switch (kind) {
    case 'database':
      return [`${statement}${on}`];
    case 'view':
      return [statement.replace(heads.view, `$&${on}`)];
    case 'materialized':
      return [toLocal(statement, layout, isNoView).replace(heads.materialized, `$&${on}`)];
    case 'table':
      return [
        replicated(toLocal(statement, layout), layout, isCopy(statement) ? copyPath : tablePath).replace(
          heads.table,
          `$&${on}`,
        ),
        ...overShards(statement, layout),
      ];
    case 'alter':
      return [toLocal(statement, layout, isNoView).replace(heads.alter, `$&${on}`), ...overShards(statement, layout)];
    case 'drop':
      return [`${toLocal(statement, layout)}${on} SYNC`];
    case 'rename':
      return [`${toLocal(statement, layout)}${on}`, ...overShards(statement, layout)];
    default:
      throw new TypeError(`no form for clusters: ${statement.slice(0, 60)}`);
  }
}

/** A table by which rows come to the shards of another, with the columns of the rows. */
export function insertTable(database: string, table: string, columns: string, layout: Layout | undefined): string[] {
  if (layout?.mode !== 'sharded') return [];
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.${insertName(table)}${onCluster(layout)} (
  ${columns}
) ENGINE = ${distributed(database, table, layout)}`,
  ];
}

export function insertName(table: string): string {
  return `${table}_in`;
}

/** A table of which all servers of all shards have the same rows: the versions, and the claims on changing them. */
export function onEveryServer(statement: string, layout: Layout | undefined): string {
  if (layout === undefined) return statement;
  return replicated(statement, layout, everywherePath).replace(heads.table, `$&${onCluster(layout)}`);
}

/** The table that holds the rows. */
export function localName(table: string, layout: Layout | undefined): string {
  return layout?.mode === 'sharded' ? `${table}_local` : table;
}

const tablePath = "'/clickhouse/tables/{shard}/{database}/{table}', '{replica}'";
// A table that takes the place of another keeps its path under the new name, so that the path must be its own.
const copyPath = "'/clickhouse/tables/{shard}/{database}/{uuid}', '{replica}'";
const everywherePath = "'/clickhouse/tables/{database}/{table}', '{shard}-{replica}'";

function isCopy(statement: string): boolean {
  return statement.split('\n', 1)[0]!.includes(' AS ');
}

function onCluster({ cluster, keeper }: Layout): string {
  return keeper === false ? '' : ` ON CLUSTER '${cluster}'`;
}

function replicated(statement: string, { keeper }: Layout, path: string): string {
  if (keeper === false) return statement;
  return statement
    .replace(/ENGINE = (\w*MergeTree)(?:\((\w+)\))?/, (_, engine: string, version?: string) => {
      return `ENGINE = Replicated${engine}(${[path, ...(version === undefined ? [] : [version])].join(', ')})`;
    })
    .replace('non_replicated_deduplication_window', 'replicated_deduplication_window');
}

/** Views that fill tables lie on each server beside what they fill, under their own name. */
function isNoView(name: string): boolean {
  return !name.endsWith('_mv');
}

/** Names in quotes stay: an attribute may be called like a table of the database. */
function toLocal(statement: string, layout: Layout, isTable: (name: string) => boolean = () => true): string {
  const database = databaseOf(statement);
  return statement.replaceAll(new RegExp(`'[^']*'|\\b${database}\\.(\\w+)`, 'g'), (whole, name?: string) =>
    name !== undefined && isTable(name) ? `${database}.${localName(name, layout)}` : whole,
  );
}

/** The tables over all shards of what a statement changes. They have no rows, so they are made anew with the new columns. */
function overShards(statement: string, layout: Layout): string[] {
  if (layout.mode !== 'sharded') return [];
  const database = databaseOf(statement);
  const head = statement.startsWith('RENAME') ? statement : statement.split('\n', 1)[0]!.split(' AS ', 1)[0]!;
  const names = new Set(Array.from(head.matchAll(new RegExp(`\\b${database}\\.(\\w+)`, 'g')), ([, name]) => name!));
  const on = onCluster(layout);
  return [...names].flatMap((name) => {
    if (!(name in shardKeys)) return [];
    return `CREATE OR REPLACE TABLE ${database}.${name}${on} AS ${database}.${name}_local
ENGINE = ${distributed(database, name, layout)}`;
  });
}

function distributed(database: string, table: string, { cluster }: Layout): string {
  return `Distributed('${cluster}', '${database}', '${table}_local', cityHash64(${shardKeys[table]}))`;
}

function databaseOf(statement: string): string {
  return /\b(\w+)\.\w+/.exec(statement)?.[1] ?? '';
}

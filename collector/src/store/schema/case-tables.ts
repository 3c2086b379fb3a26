import { tableSettings } from './otel-tables.ts';

const name = 'LowCardinality(String)';
const zstd = 'CODEC(ZSTD(1))';

/**
 * Cases, one row per version, what people did about them, and `case_list`: the newest version of each case that is none of
 * another, with its status. The status is worked out when somebody asks: a closing holds until the case gets worse, another
 * session joins it, or, when it was closed as a true positive, there is a new finding.
 *
 * Findings get the id of their chain, by which cases hold them, and a new order: repeats settle to the earliest span within
 * an hour, and a row only replaces another with the same sorting key.
 */
export function caseTables(database: string, ttlDays: number): string[] {
  return [
    `ALTER TABLE ${database}.findings ADD COLUMN IF NOT EXISTS ChainId String ${zstd} AFTER GroupKey`,
    `ALTER TABLE ${database}.findings ADD INDEX IF NOT EXISTS idx_chain_id ChainId TYPE bloom_filter(0.001) GRANULARITY 1`,
    ...findingsByHour(database, ttlDays),
    casesTable(database, ttlDays),
    caseEventsTable(database, ttlDays),
    caseListView(database),
  ];
}

/** Every statement may run again after a crash anywhere: rows copied twice replace each other. */
function findingsByHour(database: string, ttlDays: number): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.findings_by_hour AS ${database}.findings
ENGINE = ReplacingMergeTree(Version)
PARTITION BY toDate(Timestamp)
ORDER BY (toStartOfHour(Timestamp, 'UTC'), FindingId)
TTL toDate(Timestamp) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `INSERT INTO ${database}.findings_by_hour SELECT * FROM ${database}.findings`,
    `DROP TABLE IF EXISTS ${database}.findings_before_cases`,
    `RENAME TABLE ${database}.findings TO ${database}.findings_before_cases,
  ${database}.findings_by_hour TO ${database}.findings`,
    `DROP TABLE IF EXISTS ${database}.findings_before_cases`,
  ];
}

function casesTable(database: string, ttlDays: number): string {
  return `CREATE TABLE IF NOT EXISTS ${database}.cases (
  CaseId String ${zstd},
  Version UInt64 ${zstd},
  Day Date ${zstd},
  MergedInto String ${zstd},
  Headline String ${zstd},
  Level ${name} ${zstd},
  Severity UInt8 ${zstd},
  RaisedBy String ${zstd},
  FirstSeen DateTime64(9) ${zstd},
  LastSeen DateTime64(9) ${zstd},
  Findings UInt64 ${zstd},
  Count UInt64 ${zstd},
  Votes Nested (RuleId String, RuleTitle String, Level ${name}, Findings UInt64, Count UInt64) ${zstd},
  Timeline Nested (
    FindingId String, Timestamp DateTime64(9), LastSeen DateTime64(9), Count UInt64, RuleId String, RuleTitle String,
    Level ${name}, TraceId String, SpanId String, SpanName String, AgentName String, ToolName String, Shown String
  ) ${zstd},
  Agents Array(String) ${zstd},
  Users Array(String) ${zstd},
  Conversations Array(String) ${zstd},
  TraceIds Array(String) ${zstd},
  ChainIds Array(String) ${zstd},
  AlertSeq UInt32 ${zstd},
  InsertedAt DateTime64(3) DEFAULT now64(3) ${zstd}
) ENGINE = ReplacingMergeTree(Version)
PARTITION BY toYYYYMM(Day)
ORDER BY CaseId
TTL Day + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`;
}

function caseEventsTable(database: string, ttlDays: number): string {
  return `CREATE TABLE IF NOT EXISTS ${database}.case_events (
  CaseId String ${zstd},
  At DateTime64(6) ${zstd},
  Action ${name} ${zstd},
  Disposition ${name} ${zstd},
  Reason String ${zstd},
  DoneBy String ${zstd},
  Severity UInt8 ${zstd},
  Findings UInt64 ${zstd},
  Chains UInt64 ${zstd}
) ENGINE = MergeTree
PARTITION BY toYYYYMM(At)
ORDER BY (CaseId, At)
TTL toDate(At) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`;
}

function caseListView(database: string): string {
  return `CREATE VIEW IF NOT EXISTS ${database}.case_list AS
SELECT
  newest.*,
  done.Action AS LastAction,
  done.At AS LastActionAt,
  done.Disposition AS Disposition,
  done.Reason AS Reason,
  done.DoneBy AS DoneBy,
  if(
    done.Action = 'close' AND newest.Severity <= done.Severity AND length(newest.ChainIds) <= done.Chains
      AND (done.Disposition IN ('false-positive', 'benign') OR newest.Findings <= done.Findings),
    'closed', 'open') AS Status
FROM (SELECT * FROM ${database}.cases FINAL WHERE MergedInto = '') AS newest
LEFT JOIN (
  SELECT
    CaseId,
    argMax(Action, case_events.At) AS Action,
    argMax(Disposition, case_events.At) AS Disposition,
    argMax(Reason, case_events.At) AS Reason,
    argMax(DoneBy, case_events.At) AS DoneBy,
    argMax(Severity, case_events.At) AS Severity,
    argMax(Findings, case_events.At) AS Findings,
    argMax(Chains, case_events.At) AS Chains,
    max(case_events.At) AS At
  FROM ${database}.case_events GROUP BY CaseId
) AS done ON newest.CaseId = done.CaseId`;
}

import { tableSettings } from './otel-tables.ts';

const sum = 'SimpleAggregateFunction(sum, UInt64) CODEC(ZSTD(1))';
const name = 'LowCardinality(String) CODEC(ZSTD(1))';

/**
 * What rules do and whether they can: deltas of counters, field names that arrived, the newest state of each rule; and what
 * people said about findings. Counters are added up by the table, and read with sum() because merges come when they come.
 *
 * A row of rule_stats counts one thing: with an agent its matches, with a filter what that took away, with neither what the
 * rule was asked. Marks are only ever added, so that they tell who said what and when; the newest holds.
 */
export function ruleHealthTables(database: string, ttlDays: number): string[] {
  return [
    `CREATE TABLE IF NOT EXISTS ${database}.rule_stats (
  Hour DateTime CODEC(Delta, ZSTD(1)),
  RuleId ${name},
  RuleVersion ${name},
  AgentName ${name},
  FilterId ${name},
  Spans ${sum},
  Candidates ${sum},
  Matches ${sum},
  Findings ${sum},
  Suppressed ${sum},
  Errors ${sum},
  SampledSpans ${sum},
  SampledNanos ${sum},
  LastMatch SimpleAggregateFunction(max, DateTime64(9)) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY toDate(Hour)
ORDER BY (RuleId, Hour, RuleVersion, AgentName, FilterId)
TTL toDate(Hour) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE TABLE IF NOT EXISTS ${database}.seen_fields (
  Day Date CODEC(Delta, ZSTD(1)),
  Category ${name},
  Field String CODEC(ZSTD(1)),
  LastSeen SimpleAggregateFunction(max, DateTime) CODEC(ZSTD(1))
) ENGINE = AggregatingMergeTree
PARTITION BY Day
ORDER BY (Category, Field)
TTL Day + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
    `CREATE TABLE IF NOT EXISTS ${database}.rule_states (
  RuleId String CODEC(ZSTD(1)),
  RuleName String CODEC(ZSTD(1)),
  RuleTitle String CODEC(ZSTD(1)),
  RuleVersion String CODEC(ZSTD(1)),
  FormerIds Array(String) CODEC(ZSTD(1)),
  Level ${name},
  State ${name},
  Reason String CODEC(ZSTD(1)),
  At DateTime64(3) CODEC(ZSTD(1))
) ENGINE = ReplacingMergeTree(At)
ORDER BY RuleId
SETTINGS ${replacedTableSettings}`,
    `CREATE TABLE IF NOT EXISTS ${database}.finding_marks (
  FindingId String CODEC(ZSTD(1)),
  RuleId ${name},
  Disposition ${name},
  Reason String CODEC(ZSTD(1)),
  MarkedBy String CODEC(ZSTD(1)),
  MarkedAt DateTime64(6) CODEC(ZSTD(1)),
  INDEX idx_finding_id FindingId TYPE bloom_filter(0.001) GRANULARITY 1
) ENGINE = MergeTree
PARTITION BY toYYYYMM(MarkedAt)
ORDER BY (RuleId, FindingId, MarkedAt)
TTL toDate(MarkedAt) + toIntervalDay(${ttlDays})
SETTINGS ${tableSettings}`,
  ];
}

/** Rows that are replaced and never expire; the rest as everywhere. */
const replacedTableSettings = tableSettings.replace('ttl_only_drop_parts = 1, ', '');

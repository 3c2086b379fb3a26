/**
 * The session of each span and finding. A span keeps the one that other spans told, which comes with its facts; most have none and are of
 * their conversation or trace. Findings of before are, too.
 */
export function sessionColumns(database: string): string[] {
  return [
    `ALTER TABLE ${database}.otel_traces
  ADD COLUMN IF NOT EXISTS StitchedSession String MATERIALIZED Facts['spanwarden.session'][1] CODEC(ZSTD(1)),
  ADD COLUMN IF NOT EXISTS SessionId String ALIAS multiIf(
    StitchedSession != '', StitchedSession, ConversationId != '', ConversationId, TraceId),
  ADD COLUMN IF NOT EXISTS SessionSource String ALIAS multiIf(
    StitchedSession != '', Facts['spanwarden.session.source'][1], ConversationId != '', 'conversation', 'trace'),
  ADD INDEX IF NOT EXISTS idx_stitched_session StitchedSession TYPE bloom_filter(0.01) GRANULARITY 1`,
    `ALTER TABLE ${database}.findings
  ADD COLUMN IF NOT EXISTS SessionId String DEFAULT if(ConversationId != '', ConversationId, TraceId)
    CODEC(ZSTD(1)) AFTER ConversationId,
  ADD COLUMN IF NOT EXISTS SessionSource LowCardinality(String) DEFAULT if(ConversationId != '', 'conversation', 'trace')
    CODEC(ZSTD(1)) AFTER SessionId,
  ADD INDEX IF NOT EXISTS idx_session_id SessionId TYPE bloom_filter(0.01) GRANULARITY 1`,
  ];
}

import type { RuleState, RuleStatsDelta, SeenField } from '../../model/rule-health.ts';
import type { Rows } from '../../model/spool.ts';
import { RowWriter } from './rowbinary.ts';

/** The columns of rule_stats in the order in which `encodeRuleStats` writes them. */
export const ruleStatsColumns = [
  'Hour',
  'RuleId',
  'RuleVersion',
  'AgentName',
  'FilterId',
  'Spans',
  'Candidates',
  'Matches',
  'Findings',
  'Suppressed',
  'Errors',
  'SampledSpans',
  'SampledNanos',
  'LastMatch',
] as const;

/** Counters since the last time → RowBinary rows under the hour in which they were counted. */
export function encodeRuleStats(deltas: readonly RuleStatsDelta[], nowMs: number): Rows {
  const writer = new RowWriter(deltas.length * 160);
  const hour = Math.floor(nowMs / 3_600_000) * 3600;
  for (const delta of deltas) {
    writer.u32(hour);
    writer.string(delta.ruleId);
    writer.string(delta.ruleVersion);
    writer.string(delta.agentName);
    writer.string(delta.filterId);
    for (const key of ['spans', 'candidates', 'matches', 'findings', 'suppressed', 'errors', 'sampledSpans'] as const) {
      writer.u64(BigInt(delta[key]));
    }
    writer.u64(BigInt(Math.round(delta.sampledNanos)));
    writer.i64(delta.lastMatchNanos);
  }
  return { table: 'rule_stats', bytes: writer.take(), count: deltas.length };
}

export const seenFieldsColumns = ['Day', 'Category', 'Field', 'LastSeen'] as const;

export function encodeSeenFields(fields: readonly SeenField[], nowMs: number): Rows {
  const writer = new RowWriter(fields.length * 64);
  for (const { category, field } of fields) {
    writer.u16(Math.floor(nowMs / 86_400_000));
    writer.string(category);
    writer.string(field);
    writer.u32(Math.floor(nowMs / 1000));
  }
  return { table: 'seen_fields', bytes: writer.take(), count: fields.length };
}

export const ruleStatesColumns = [
  'RuleId',
  'RuleName',
  'RuleTitle',
  'RuleVersion',
  'FormerIds',
  'Level',
  'State',
  'Reason',
  'At',
] as const;

export function encodeRuleStates(states: readonly RuleState[], nowMs: number): Rows {
  const writer = new RowWriter(states.length * 256);
  for (const state of states) {
    writer.string(state.ruleId);
    writer.string(state.ruleName);
    writer.string(state.ruleTitle);
    writer.string(state.ruleVersion);
    writer.varint(state.formerIds.length);
    for (const id of state.formerIds) writer.string(id);
    writer.string(state.level);
    writer.string(state.state);
    writer.string(state.reason);
    writer.i64(BigInt(nowMs));
  }
  return { table: 'rule_states', bytes: writer.take(), count: states.length };
}

import type { RuleStatsDelta } from '../../model/rule-health.ts';
import type { Rule } from '../load.ts';

/** Agents told apart per rule until the next `take`; further ones are counted together, under `otherAgents`. */
export const agentsMax = 256;
export const otherAgents = '(others)';

interface AgentCount {
  matches: number;
  findings: number;
  lastMatchNanos: bigint;
}

/** What one rule did since the start and since the counters were last taken. */
export class RuleTally {
  readonly rule: Rule;
  candidates = 0;
  matches = 0;
  errors = 0;
  sampledSpans = 0;
  sampledNanos = 0;
  readonly #suppressed: number[];
  #agents = new Map<string, AgentCount>();
  /** Of `candidates`, `errors`, `sampledSpans` and `sampledNanos`: what was taken already. */
  #taken = { candidates: 0, errors: 0, sampledSpans: 0, sampledNanos: 0, spans: 0 };

  constructor(rule: Rule) {
    this.rule = rule;
    this.#suppressed = rule.filters.map(() => 0);
  }

  suppressedBy(filter: number): void {
    this.#suppressed[filter]!++;
  }

  matched(agentName: string, endNanos: bigint, found: boolean): void {
    this.matches++;
    const name = this.#agents.has(agentName) || this.#agents.size < agentsMax ? agentName : otherAgents;
    const count = this.#agents.get(name) ?? { matches: 0, findings: 0, lastMatchNanos: 0n };
    this.#agents.set(name, count);
    count.matches++;
    if (found) count.findings++;
    if (endNanos > count.lastMatchNanos) count.lastMatchNanos = endNanos;
  }

  /** What came since the last call, as rows; `spans` counts since the start. */
  take(spans: number): RuleStatsDelta[] {
    const { candidates, errors, sampledSpans, sampledNanos } = this;
    const taken = this.#taken;
    const asked = {
      spans: spans - taken.spans,
      candidates: candidates - taken.candidates,
      errors: errors - taken.errors,
      sampledSpans: sampledSpans - taken.sampledSpans,
      sampledNanos: sampledNanos - taken.sampledNanos,
    };
    this.#taken = { spans, candidates, errors, sampledSpans, sampledNanos };
    const { id: ruleId, version: ruleVersion } = this.rule.meta;
    const none = { ...nothing, ruleId, ruleVersion };
    const rows: RuleStatsDelta[] = asked.spans > 0 ? [{ ...none, ...asked }] : [];
    for (const [agentName, count] of this.#agents) rows.push({ ...none, agentName, ...count });
    this.#agents = new Map();
    for (const [index, { meta }] of this.rule.filters.entries()) {
      const suppressed = this.#suppressed[index]!;
      this.#suppressed[index] = 0;
      if (suppressed > 0) rows.push({ ...none, filterId: meta.id, suppressed });
    }
    return rows;
  }
}

const nothing = {
  agentName: '',
  filterId: '',
  spans: 0,
  candidates: 0,
  matches: 0,
  findings: 0,
  suppressed: 0,
  errors: 0,
  sampledSpans: 0,
  sampledNanos: 0,
  lastMatchNanos: 0n,
} as const;

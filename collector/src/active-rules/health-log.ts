import { hash } from 'node:crypto';
import type { Logger } from 'pino';
import type { Outcome } from '../model/outcome.ts';
import type { Redactor } from '../model/redaction.ts';
import type { Rows } from '../model/spool.ts';
import { encodeRuleStates, encodeRuleStats, encodeSeenFields } from '../store/rows/rule-health.ts';
import type { ActiveRules } from './active-rules.ts';

export interface HealthLogOptions {
  readonly rules: ActiveRules;
  readonly log: { append(record: { digest: Uint8Array; rows: Rows[] }): Promise<Outcome> };
  readonly logger: Logger;
  /** Of what findings tell. */
  readonly redactor?: Redactor | undefined;
  now(): number;
}

/** Records that are kept for the next time when the spool takes none; the oldest are let go. */
const keptMax = 64;

/** Puts what rules did since the last time into the spool, as rows like all others. */
export class HealthLog {
  readonly #options: HealthLogOptions;
  #kept: Rows[][] = [];
  #writing: Promise<void> = Promise.resolve();
  #records = 0;

  constructor(options: HealthLogOptions) {
    this.#options = options;
  }

  /** To be called every minute or so, after a change of rules, and before the end. */
  write(): Promise<void> {
    const rows = this.#rows();
    if (rows.length > 0) this.#kept.push(rows);
    if (this.#kept.length > keptMax) {
      this.#kept.shift();
      this.#options.logger.warn('counters of rules were let go because the spool takes no rows');
    }
    this.#writing = this.#writing.then(() => this.#append());
    return this.#writing;
  }

  #rows(): Rows[] {
    const { rules, now, redactor } = this.#options;
    const at = now();
    const { stats, fields } = rules.takeHealth(at);
    const told = redactor
      ? stats.map((each) => ({ ...each, agentName: redactor.derived(each.agentName, 'gen_ai.agent.name') }))
      : stats;
    const rows = [encodeRuleStats(told, at), encodeSeenFields(fields, at), encodeRuleStates(rules.takeStates(), at)];
    return rows.filter(({ count }) => count > 0);
  }

  async #append(): Promise<void> {
    for (let rows = this.#kept.shift(); rows !== undefined; rows = this.#kept.shift()) {
      const outcome = await this.#options.log.append({ digest: this.#digestOf(rows), rows });
      if (outcome.status === 'ok') continue;
      if (outcome.status === 'retryable') this.#kept.unshift(rows);
      return;
    }
  }

  /** Equal counters at another time are not the same record come again. */
  #digestOf(rows: readonly Rows[]): Uint8Array {
    const place = Buffer.from(`${this.#options.now()} ${this.#records++} ${process.pid} `);
    return hash('sha256', Buffer.concat([place, ...rows.map(({ bytes }) => bytes)]), 'buffer').subarray(0, 16);
  }
}

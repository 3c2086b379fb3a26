import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from 'pino';
import { loadRules, rulePaths } from '../cli/load-rules.ts';
import type { Config } from '../config/schema.ts';
import type { StateBounds } from '../detect/state-bounds.ts';
import type { Metrics } from '../metrics.ts';
import type { FieldTable } from '../model/fields.ts';
import { watchedAttributes } from '../normalise/derivations.ts';
import { ActiveRules, type ReloadOutcome } from './active-rules.ts';
import { addRuleGauges } from './gauges.ts';
import { HealthLog, type HealthLogOptions } from './health-log.ts';
import { watchRules } from './watch.ts';

export interface RunningRules {
  readonly rules: ActiveRules;
  reload(): ReloadOutcome;
  /** Begins to write what rules do, and to watch their files. */
  start(log: HealthLogOptions['log'], redactor?: HealthLogOptions['redactor']): void;
  /** Writes what is left; to be called before the spool is sealed. */
  stop(): Promise<void>;
}

export interface RuleSources {
  /** Reads the config again, for the rules and lists it names. Throws a SpanwardenError. */
  readonly config: () => Config;
  /** The config file, watched with the rules when it exists. */
  readonly file: string;
}

export interface RunOptions {
  readonly logger: Logger;
  readonly fields: FieldTable;
  readonly metrics: Metrics;
  /** How much they remember. */
  readonly bounds?: StateBounds;
  /** Without it the rules are those of the config that was given, and nothing is watched. */
  readonly sources?: RuleSources;
}

/** The rules of a config, kept up to date. Throws a SpanwardenError when they have an error at the start. */
export function runRules(started: Config, { logger, fields, metrics, sources, bounds }: RunOptions): RunningRules {
  let config = started;
  let health: HealthLog | undefined;
  const load = () => {
    const newest = sources?.config() ?? started;
    const set = loadRules(newest.detect);
    warnOfOtherChanges(started, newest, logger);
    config = newest;
    return set;
  };
  const rules = new ActiveRules({
    load,
    logger,
    detector: {
      fields,
      allowedLatenessNanos: BigInt(started.detect.allowed_lateness_ms) * 1_000_000n,
      sessionWaitNanos: BigInt(started.detect.allowed_lateness_ms) * 1_000_000n,
      traceWaitNanos: BigInt(started.detect.trace_wait_ms) * 1_000_000n,
      journal: true,
      watchedFields: watchedAttributes,
      ...(bounds && { bounds }),
    },
    budget: () => ({ spanMs: config.detect.rule_budget.span_ms, meanMicros: config.detect.rule_budget.mean_us }),
    now: Date.now,
    clock: () => performance.now(),
    onChange: () => void health?.write(),
  });
  addRuleGauges(metrics, rules);
  let timer: NodeJS.Timeout | undefined;
  let watching: { close(): void } | undefined;
  return {
    rules,
    reload: () => rules.reload(),
    start: (log, redactor) => {
      health = new HealthLog({ rules, log, logger, redactor, now: Date.now });
      void health.write();
      timer = setInterval(() => void health?.write(), started.detect.stats_interval_ms).unref();
      if (sources === undefined || !started.detect.watch) return;
      watching = watchRules({
        paths: () => [...rulePaths(config.detect), ...(existsSync(sources.file) ? [resolve(sources.file)] : [])],
        reload: () => rules.reload(),
        failed: (error) => logger.warn({ err: error }, 'rule files cannot be watched; SIGHUP reloads them'),
      });
    },
    stop: async () => {
      clearInterval(timer);
      watching?.close();
      await health?.write();
    },
  };
}

/** Only the rules, what they refer to and their budget can change while the collector runs. */
function warnOfOtherChanges(started: Config, newest: Config, logger: Logger): void {
  const { rules, shipped_rules, lists, rule_budget, ...detect } = started.detect;
  const same = (key: keyof Config): boolean =>
    isDeepStrictEqual(
      key === 'detect' ? { ...newest.detect, ...detect } : newest[key],
      key === 'detect' ? newest.detect : started[key],
    );
  const sections = (Object.keys(newest) as (keyof Config)[]).filter((key) => !same(key));
  if (sections.length > 0) logger.warn({ sections }, 'changes of these sections of the config need a restart');
}

import { z } from 'zod';
import { budgetDefaults } from './health/guard.ts';

/** Section `detect:` of the config: which rules run, and the lists their placeholders stand for. */
export const detectConfigSchema = z
  .strictObject({
    rules: z
      .array(z.string().min(1))
      .default([])
      .describe(
        'Folders and files with rules of your own, seen from the working directory. Default none. They run beside the ' +
          'shipped rules.',
      ),
    shipped_rules: z
      .boolean()
      .default(true)
      .describe('Run the rules that ship with spanwarden. Default true. false leaves only those that `rules` names.'),
    lists: z
      .record(z.string().regex(/^[A-Za-z0-9_.-]+$/, 'takes letters, digits, _ . and -'), z.array(z.string()).min(1))
      .default({})
      .describe(
        'Values for %name% placeholders in rules that use the modifier `expand`, by name. Default none: a rule with an ' +
          'unknown placeholder stops the start. * and ? in the values are wildcards.',
      ),
    allowed_lateness_ms: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(30_000)
      .describe(
        'Milliseconds that a span may end before the newest one of its source and still count for correlation rules. Default ' +
          '30000 (30 s). What other spans may still undo is decided this much later; spans that come later are left to the ' +
          'other rules.',
      ),
    trace_wait_ms: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(600_000)
      .describe(
        'Milliseconds for rules that read fields of the parent, the root or any ancestor of a span: so long after its end a ' +
          'span waits for them, and so far apart both may end. Default 600000 (10 min). More finds ancestors of longer runs; ' +
          'it takes more memory, and what an ancestor is missing for is decided that much later.',
      ),
    checkpoint_interval_ms: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(30_000)
      .describe(
        'Milliseconds between two checkpoints of what detection remembers, when anything came. Default 30000 (30 s). After a ' +
          'crash what came since the last one is read again from the spool: longer makes such a start slower and keeps ' +
          'more segments on disk, shorter writes more.',
      ),
    watch: z
      .boolean()
      .default(true)
      .describe(
        'Load rules, filters and lists again when one of their files changes. Default true. Without it, and where the file ' +
          'system tells no changes, SIGHUP does the same.',
      ),
    rule_budget: z
      .strictObject({
        span_ms: z
          .int()
          .min(1)
          .max(60_000)
          .default(budgetDefaults.spanMs)
          .describe(
            'Milliseconds that one rule may take on one span. Default 1000. A rule that takes longer for the third time is ' +
              'disabled, until the rules are loaded again; the others and the spans go on. A request of more than 4 MiB has as much ' +
              'more time as it is larger.',
          ),
        mean_us: z
          .int()
          .min(1)
          .max(60_000_000)
          .default(budgetDefaults.meanMicros)
          .describe(
            'Microseconds that one rule may take on average over 512 timed spans. Default 2000. Above it the rule is disabled; ' +
              'spans of more than 16 KiB have as much more time as they are larger.',
          ),
      })
      .prefault({})
      .describe('What a rule may cost before it is disabled.'),
    stats_interval_ms: z
      .int()
      .min(100)
      .max(3_600_000)
      .default(60_000)
      .describe(
        'Milliseconds between two writes of what rules did, for `spanwarden rules status` and Grafana. Default 60000 (1 min). ' +
          'A crash loses the counts since the last one, and no spans or findings.',
      ),
  })
  .prefault({})
  .describe('Detection: the rules and what they may refer to.');

export type DetectConfig = z.infer<typeof detectConfigSchema>;

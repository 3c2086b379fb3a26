import { z } from 'zod';

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
        'Milliseconds that a span may end before the newest one and still count for correlation rules. Default 30000 (30 s). ' +
          'Their findings come out this much later; spans that come later than that are left to the other rules.',
      ),
  })
  .prefault({})
  .describe('Detection: the rules and what they may refer to.');

export type DetectConfig = z.infer<typeof detectConfigSchema>;

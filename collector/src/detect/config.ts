import { z } from 'zod';

/** Section `detect:` of spanwarden.yaml. */
export const detectConfigSchema = z.strictObject({
  rules: z
    .array(z.string().min(1))
    .default([])
    .describe(
      'Folders and files with rules. Relative paths count from the config file. Empty: the rules that ship with spanwarden.',
    ),
  shipped_rules: z
    .boolean()
    .default(true)
    .describe('Load the rules that ship with spanwarden beside your own. false: only what `rules` names.'),
  lists: z
    .record(z.string().regex(/^[A-Za-z0-9_.-]+$/), z.array(z.string()).min(1))
    .default({})
    .describe(
      'Values for %name% placeholders in rules that use the modifier `expand`. Wildcards * and ? keep their meaning.',
    ),
});

export type DetectConfig = z.infer<typeof detectConfigSchema>;

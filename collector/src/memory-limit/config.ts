import { z } from 'zod';

const mebibyte = 1024 * 1024;
const units: Readonly<Record<string, number>> = { MiB: mebibyte, GiB: 1024 * mebibyte };
const memoryMin = 384 * mebibyte;

/** Section `limits:` of the config: what the collector may take of the machine. */
export const limitsConfigSchema = z
  .strictObject({
    memory: z
      .string()
      .regex(/^[1-9]\d{0,5} ?[MG]iB$/, 'must be a number with MiB or GiB, for example 512MiB or 2GiB')
      .refine((text) => memoryBytes(text) >= memoryMin, 'must be at least 384MiB: Node and the rules take half of that')
      .default('512MiB')
      .describe(
        "Memory of the collector's process, without that of the embedded ClickHouse, as 512MiB or 2GiB. Default 512MiB, at least " +
          '384MiB. Near it senders get 503 with Retry-After. What rules over several spans remember, the largest body and what ' +
          'waits for the disk are bounded by parts of it; see docs/operations.md.',
      ),
    attribute_keys: z
      .int()
      .min(100)
      .max(100_000)
      .default(2_000)
      .describe(
        'Distinct attribute keys of one service that are stored under their own name: of its resources, spans, events, log records ' +
          'and data points, each. Default 2000. What further new keys hold is stored in the attribute spanwarden.overflow; rules see ' +
          'all of them. More makes the tables slower to read for everybody.',
      ),
  })
  .prefault({})
  .describe('What the collector may take of the machine.');

export type LimitsConfig = z.infer<typeof limitsConfigSchema>;

/** The bytes that `limits.memory` says. */
export function memoryBytes(text: string): number {
  const [, number, unit] = /^(\d+) ?(\w+)$/.exec(text)!;
  return Number(number) * units[unit!]!;
}

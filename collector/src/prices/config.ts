import { z } from 'zod';

const price = (what: string) => z.number().min(0).describe(`US dollars for a million ${what}.`);

/** Section `prices:` of the config: what models cost, where the built-in table does not know it or is wrong. */
export const pricesConfigSchema = z
  .record(
    z.string().min(1).max(256),
    z.strictObject({
      input: price('input tokens'),
      output: price('output tokens'),
      cache_read: price('input tokens read from the cache').optional(),
      cache_write: price('input tokens written to the cache').optional(),
    }),
  )
  .default({})
  .describe(
    'Prices by `<model>` or `<provider>/<model>`, as spans name them; they come before the built-in table. Default none. Without a price ' +
      'of its own cached input costs what input costs. A change counts for spans that come after the next start.',
  );

export type PricesConfig = z.infer<typeof pricesConfigSchema>;

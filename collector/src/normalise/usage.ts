import type { PriceList } from '../model/prices.ts';
import { type Value, valueText } from '../model/value.ts';

/** Tokens and cost of one model call. */
export interface Usage {
  /** What was read from and written to the cache included. */
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly reasoning: number;
  readonly costUsd: number | undefined;
}

/**
 * What a model call used; undefined where it says nothing of it.
 * @param timeMs when it ended; prices change
 */
export function usageOf(
  read: (name: string) => Value | undefined,
  prices: PriceList | undefined,
  timeMs: number,
): Usage | undefined {
  const input = tokens(read('gen_ai.usage.input_tokens'));
  const output = tokens(read('gen_ai.usage.output_tokens'));
  if (input === undefined && output === undefined) return undefined;
  const cacheRead = tokens(read('gen_ai.usage.cache_read.input_tokens')) ?? 0;
  const cacheWrite = tokens(read('gen_ai.usage.cache_write.input_tokens')) ?? 0;
  const cache = cacheRead + cacheWrite;
  // Some emitters leave the cache out of the input tokens.
  const whole = (input ?? 0) < cache ? (input ?? 0) + cache : (input ?? 0);
  const reasoning = tokens(read('gen_ai.usage.reasoning.output_tokens')) ?? 0;
  const costUsd = prices && cost({ input: whole, output: output ?? 0, cacheRead, cacheWrite });
  return { input: whole, output: output ?? 0, cached: cacheRead, reasoning, costUsd };

  function cost(used: Parameters<PriceList['cost']>[2]): number | undefined {
    const text = (name: string): string => valueText(read(name) ?? '');
    const model = text('gen_ai.response.model') || text('gen_ai.request.model');
    return prices?.cost(text('gen_ai.provider.name'), model, used, timeMs);
  }
}

/** More than any call could have is a fault of the sender, or worse. */
const tokensMax = 1e9;

function tokens(value: Value | undefined): number | undefined {
  if (value === undefined || value === null || value === '' || typeof value === 'object') return undefined;
  const count = Number(value);
  return Number.isFinite(count) && count >= 0 && count <= tokensMax ? count : undefined;
}

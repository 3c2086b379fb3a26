import { createRequire } from 'node:module';
import type * as GenAiPrices from '@pydantic/genai-prices';
import { limits } from '../model/limits.ts';
import type { PricedTokens, PriceList } from '../model/prices.ts';
import type { PricesConfig } from './config.ts';

/** US dollars for one token. */
interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** `priced` by the table for each call anew, because the price depends on the size of the call or the time of day. */
type Known = Rates | 'priced' | undefined;

const million = 1_000_000;
const dayMs = 86_400_000;
const charsMax = 256;

/**
 * What model calls cost: by the config, else by the table of genai-prices, which is part of the package and is never fetched. A model
 * that neither knows has no price.
 * https://github.com/pydantic/genai-prices
 */
export class Prices implements PriceList {
  /** Calls of models without a price, since the start. */
  unknown = 0;
  readonly #own: PricesConfig;
  /** By provider, model and day; prices change from one day to the next. */
  readonly #known = new Map<string, Known>();
  /** Neighbours are mostly of one model. */
  #last: { readonly provider: string; readonly model: string; readonly day: number; readonly rates: Known } | undefined;

  constructor(own: PricesConfig = {}) {
    this.#own = own;
  }

  /** US dollars, to twelve digits; undefined where the price is not known. @param timeMs when the call was made */
  cost(provider: string, model: string, tokens: PricedTokens, timeMs: number): number | undefined {
    const rates = this.#ratesOf(provider.slice(0, charsMax), model.slice(0, charsMax), timeMs);
    const cost =
      rates === 'priced' ? tablePrice(provider, model, tokens, timeMs)?.total_price : rates && costOf(rates, tokens);
    if (cost === undefined) this.unknown++;
    return cost === undefined ? undefined : Number(cost.toPrecision(12));
  }

  #ratesOf(provider: string, model: string, timeMs: number): Known {
    const day = Math.floor(timeMs / dayMs);
    const last = this.#last;
    if (last?.model === model && last.provider === provider && last.day === day) return last.rates;
    const rates = this.#lookUp(provider, model, timeMs);
    this.#last = { provider, model, day, rates };
    return rates;
  }

  #lookUp(provider: string, model: string, timeMs: number): Known {
    const own = this.#ownOf(`${provider}/${model}`) ?? this.#ownOf(model);
    if (own !== undefined) return own;
    const key = JSON.stringify([provider, model, Math.floor(timeMs / dayMs)]);
    if (this.#known.has(key)) return this.#known.get(key);
    if (this.#known.size >= limits.pricesKnownMax) this.#known.clear();
    const rates = tableRates(provider, model, timeMs);
    this.#known.set(key, rates);
    return rates;
  }

  #ownOf(name: string): Rates | undefined {
    const own = Object.hasOwn(this.#own, name) ? this.#own[name] : undefined;
    if (own === undefined) return undefined;
    const { input, output, cache_read = input, cache_write = input } = own;
    const rate = (price: number): number => price / million;
    return { input: rate(input), output: rate(output), cacheRead: rate(cache_read), cacheWrite: rate(cache_write) };
  }
}

function costOf(rates: Rates, { input, output, cacheRead, cacheWrite }: PricedTokens): number {
  const plain = Math.max(0, input - cacheRead - cacheWrite);
  return plain * rates.input + cacheRead * rates.cacheRead + cacheWrite * rates.cacheWrite + output * rates.output;
}

/** The table is asked once per model and day: looking a model up costs more than all the rest of a call. */
function tableRates(provider: string, model: string, timeMs: number): Known {
  const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };
  const price = (tokens: Partial<PricedTokens>) => tablePrice(provider, model, { ...none, ...tokens }, timeMs);
  const input = price({ input: million });
  if (input === undefined) return undefined;
  const isSteady =
    Object.values(input.model_price).every((each) => each === undefined || typeof each === 'number') &&
    !(Array.isArray(input.model.prices) && input.model.prices.some((each) => each.constraint?.type === 'time_of_date'));
  if (!isSteady) return 'priced';
  const rate = (tokens: Partial<PricedTokens>): number => (price(tokens)?.total_price ?? 0) / million;
  return {
    input: input.total_price / million,
    output: rate({ output: million }),
    cacheRead: rate({ input: million, cacheRead: million }),
    cacheWrite: rate({ input: million, cacheWrite: million }),
  };
}

let table: typeof GenAiPrices | undefined;

/** Names come from senders, and the table throws on usage that makes no sense to it. */
function tablePrice(
  provider: string,
  model: string,
  { input, output, cacheRead, cacheWrite }: PricedTokens,
  timeMs: number,
): GenAiPrices.PriceCalculation | undefined {
  // The table takes some megabytes, which those who never see a model call need not pay.
  table ??= createRequire(import.meta.url)('@pydantic/genai-prices') as typeof GenAiPrices;
  const usage = {
    input_tokens: input,
    output_tokens: output,
    ...(cacheRead > 0 && { cache_read_tokens: cacheRead }),
    ...(cacheWrite > 0 && { cache_write_tokens: cacheWrite }),
  };
  const timestamp = new Date(timeMs);
  const options = provider === '' ? { timestamp } : { providerId: provider, timestamp };
  try {
    return table.calcPrice(usage, model, options) ?? undefined;
  } catch {
    return undefined;
  }
}

/** Tokens of one model call. Input includes what was read from and written to the cache. */
export interface PricedTokens {
  readonly input: number;
  readonly output: number;
  readonly cacheRead: number;
  readonly cacheWrite: number;
}

/** What model calls cost. */
export interface PriceList {
  /** US dollars; undefined where the price is not known. @param timeMs when the call was made */
  cost(provider: string, model: string, tokens: PricedTokens, timeMs: number): number | undefined;
}

/** What the name of an argument says that its value is, as bits. */
export const KeyTrait = { host: 1, sql: 2, query: 4, path: 8, amount: 16, account: 32, routing: 64 } as const;

/** Exported for the test that holds what is told from bytes against them. */
export const keyPatterns: readonly (readonly [trait: number, pattern: RegExp])[] = [
  [KeyTrait.host, /(?:^|[._])(?:host|hostname|domain|endpoint|server|url|uri|ip|ip_?address|webhook)$/i],
  [KeyTrait.sql, /(?:^|[._])(?:sql|sql_?query|sql_?statement|sqlText)$/i],
  [KeyTrait.query, /(?:^|[._])(?:query|queries|statement|statements|stmt|query_?string|input|text|body)$/i],
  [KeyTrait.path, /(?:^|[._])(?:path|file|filename|file_path|filepath|dir|directory|folder|cwd)s?$/i],
  [KeyTrait.amount, /(?:^|[._])(?:amount|total|price|sum|value|amount_?cents|amount_?eur|amount_?usd)$/i],
  [
    KeyTrait.account,
    /(?:^|[._])(?:iban|account|acct|account_?(?:number|no|id)|recipient|beneficiary|payee|to_account|destination_account)$/i,
  ],
  [KeyTrait.routing, /(?:^|[._])(?:routing|routing_?(?:number|no)|aba)$/i],
];

const known = new Map<string, number>();
const knownMax = 4096;
const keyCharsMax = 128;

/**
 * What the last key of a path, or its last words, say. Tools have few arguments and are called often, so that it is worked out once
 * for each; bounded, and forgotten as a whole.
 */
export function keyTraits(path: string): number {
  if (path.length > keyCharsMax) return traitsOf(path);
  let traits = known.get(path);
  if (traits === undefined) {
    traits = traitsOf(path);
    if (known.size >= knownMax) known.clear();
    known.set(path, traits);
  }
  return traits;
}

function traitsOf(path: string): number {
  let traits = 0;
  for (const [trait, pattern] of keyPatterns) if (pattern.test(path)) traits |= trait;
  return traits;
}

/** How a kind of secret is told from other text. */
export interface SecretFormat {
  readonly kind: string;
  /** Literals of which one stands in every such secret; they decide whether the pattern runs at all. */
  readonly hints: readonly string[];
  readonly pattern: RegExp;
  /** What the pattern alone cannot say. */
  readonly accepts?: (found: string) => boolean;
  /**
   * The issuer's checksum, where the format has one. A wrong one does not acquit: tokens of tests and traps are made
   * without it, and a leak of them is a leak. It is shown with the place where the secret stands.
   */
  readonly checksum?: (found: string) => boolean;
  /** Where in what is found the secret itself begins, where a name or a scheme stands in front of it. */
  readonly secretAt?: (found: string) => number;
}

import { taxonomy } from './taxonomy.ts';

/**
 * Texts are left out: they stand in the attributes already, and a second copy would double what a span takes. So are kinds of
 * secrets and personal data in all texts, which cost more to work out than the rest together; rules rarely ask for them.
 */
const stored =
  /^spanwarden\.(?:effect|outgoing|flow|coverage|usage)\.|^spanwarden\.(?:content\.hidden_unicode|output\.image_urls|dialect)$/;

/** The derived facts that are kept with a stored span, because no query could work them out. */
export const storedFacts: readonly string[] = taxonomy
  .filter(({ kind, name }) => kind === 'fact' && stored.test(name))
  .map(({ name }) => name);

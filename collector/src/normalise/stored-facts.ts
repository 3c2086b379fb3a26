import { taxonomy } from './taxonomy.ts';

/**
 * Texts are left out: they stand in the attributes already, and a second copy would double what a span takes. So are kinds of
 * secrets and personal data in all texts, which cost more to work out than the rest together; rules rarely ask for them. Hashes of definitions are worked out once for each list of them, and are all that tells
 * of a changed definition where lists are stored apart (`store.messages: once`).
 */
const stored =
  /^spanwarden\.(?:effect|outgoing|flow|coverage|usage)\.|^spanwarden\.(?:content\.hidden_unicode|output\.image_urls|dialect|tool\.definition_hashes)$/;

/** The derived facts that are kept with a stored span, because no query could work them out. */
export const storedFacts: readonly string[] = taxonomy
  .filter(({ kind, name }) => kind === 'fact' && stored.test(name))
  .map(({ name }) => name);

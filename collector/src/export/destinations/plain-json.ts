import { openFormat } from '../formats/index.ts';

/** Events in our own words, for destinations that have none of theirs. */
export const plainJson = openFormat('json');

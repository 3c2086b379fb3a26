import type { Dialect } from './dialect.ts';
import { openInference } from './openinference.ts';

/**
 * All dialects, in the order in which they are asked where a span speaks several: what is nearest to the application first,
 * older names of OTel after those of our day.
 */
export const dialects: readonly Dialect[] = [openInference];

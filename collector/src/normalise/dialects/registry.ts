import type { Dialect } from './dialect.ts';
import { mcpOlder } from './mcp-older.ts';
import { openInference } from './openinference.ts';
import { openLlmetry } from './openllmetry.ts';
import { otelOlder } from './otel-older.ts';

/**
 * All dialects, in the order in which they are asked where a span speaks several: what is nearest to the application first,
 * older names of OTel after those of our day.
 */
export const dialects: readonly Dialect[] = [openInference, openLlmetry, otelOlder, mcpOlder];

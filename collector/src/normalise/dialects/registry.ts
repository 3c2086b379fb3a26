import { aiSdk } from './ai-sdk.ts';
import type { Dialect } from './dialect.ts';
import { googleAdk } from './google-adk.ts';
import { langfuse } from './langfuse.ts';
import { langSmith } from './langsmith.ts';
import { mastra } from './mastra.ts';
import { mcpOlder } from './mcp-older.ts';
import { openInference } from './openinference.ts';
import { openLit } from './openlit.ts';
import { openLlmetry } from './openllmetry.ts';
import { otelOlder } from './otel-older.ts';
import { semanticKernel } from './semantic-kernel.ts';

/**
 * All dialects, in the order in which they are asked where a span speaks several: what is nearest to the application first,
 * older names of OTel after those of our day.
 */
export const dialects: readonly Dialect[] = [
  aiSdk,
  openInference,
  openLlmetry,
  langfuse,
  langSmith,
  mastra,
  googleAdk,
  openLit,
  semanticKernel,
  otelOlder,
  mcpOlder,
];

/** Canonical attributes whose own value is not always what counts. */
export const correctedAttributes: ReadonlySet<string> = new Set(
  dialects.flatMap(({ corrects }) => Object.keys(corrects ?? {})),
);

import { agentFramework } from './agent-framework.ts';
import { aiSdk } from './ai-sdk.ts';
import { anthropicSdk } from './anthropic-sdk.ts';
import { autogen } from './autogen.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { crewAi } from './crewai.ts';
import type { Dialect } from './dialect.ts';
import { geminiCli } from './gemini-cli.ts';
import { googleAdk } from './google-adk.ts';
import { haystack } from './haystack.ts';
import { langfuse } from './langfuse.ts';
import { langSmith } from './langsmith.ts';
import { logfire } from './logfire.ts';
import { mastra } from './mastra.ts';
import { mcpOlder } from './mcp-older.ts';
import { mcpPythonSdk } from './mcp-python-sdk.ts';
import { openInference } from './openinference.ts';
import { openLit } from './openlit.ts';
import { openLlmetry } from './openllmetry.ts';
import { otelGenAi } from './otel-genai.ts';
import { otelOlder } from './otel-older.ts';
import { pydanticAi } from './pydantic-ai.ts';
import { semanticKernel } from './semantic-kernel.ts';
import { strands } from './strands.ts';

/**
 * All dialects, in the order in which they are asked where a span speaks several: what is nearest to the application first,
 * older names of OTel after those of our day.
 */
export const dialects: readonly Dialect[] = [
  aiSdk,
  crewAi,
  haystack,
  openInference,
  openLlmetry,
  langfuse,
  langSmith,
  mastra,
  googleAdk,
  openLit,
  semanticKernel,
  pydanticAi,
  logfire,
  strands,
  autogen,
  agentFramework,
  mcpPythonSdk,
  anthropicSdk,
  claudeCode,
  codex,
  geminiCli,
  otelGenAi,
  otelOlder,
  mcpOlder,
];

/** Canonical attributes whose own value is not always what counts. */
export const correctedAttributes: ReadonlySet<string> = new Set(
  dialects.flatMap(({ corrects }) => Object.keys(corrects ?? {})),
);

import type { Patch } from '../patch.ts';
import { anthropic } from './anthropic.ts';
import { mcp } from './mcp.ts';
import { openai } from './openai.ts';

/** Every library we patch; a new one is one more line here. */
export const patches: readonly Patch[] = [openai, anthropic, mcp];

import { agentCaptures } from './captures/agents.ts';
import { aiSdkCaptures } from './captures/ai-sdk.ts';
import { clientCaptures } from './captures/clients.ts';
import { crewCaptures } from './captures/crews.ts';
import { frameworkCaptures } from './captures/frameworks.ts';
import type { Capture } from './captures/pick.ts';

/** Which captured spans of real emitters are which of the stories, by the folder of the emitter. */
export const captures: Readonly<Record<string, Capture>> = {
  ...aiSdkCaptures,
  ...clientCaptures,
  ...agentCaptures,
  ...frameworkCaptures,
  ...crewCaptures,
};

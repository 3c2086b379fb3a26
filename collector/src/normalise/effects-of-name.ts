import { Effects } from './effects.ts';

/** What a call without arguments touches. */
export function effectsOfName(tool: string): Effects {
  if (tool.length > nameCharsMax) return new Effects(tool, null);
  let effects = byName.get(tool);
  if (effects === undefined) {
    effects = new Effects(tool, null);
    if (byName.size >= namesMax) byName.clear();
    byName.set(tool, effects);
  }
  return effects;
}

/** Of calls that are told by their name, or of spans that call nothing; what they work out is kept for all of them. */
const byName = new Map<string, Effects>();
const namesMax = 1024;
const nameCharsMax = 256;

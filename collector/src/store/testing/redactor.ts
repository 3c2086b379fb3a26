import type { Redactor } from '../../model/redaction.ts';

/** Takes out of attributes and facts that are written as texts what `change` changes; the bytes of a batch stay as they are. */
export function redactorOf(change: (text: string) => string): Redactor {
  let replaced = 0;
  return {
    get replaced() {
      return replaced;
    },
    begin: () => undefined,
    value: () => undefined,
    plain: () => undefined,
    name: () => undefined,
    text: (text) => {
      const changed = change(text);
      if (changed !== text) replaced++;
      return changed;
    },
  };
}

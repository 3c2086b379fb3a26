import type { Redactor } from '../../model/redaction.ts';

/** Takes out of attributes and facts that are written as texts what `change` changes; the bytes of a batch stay as they are. */
export function redactorOf(change: (text: string) => string): Redactor {
  let replaced = 0;
  const text = (whole: string): string => {
    const changed = change(whole);
    if (changed !== whole) replaced++;
    return changed;
  };
  return {
    get replaced() {
      return replaced;
    },
    begin: () => undefined,
    value: () => undefined,
    plain: () => undefined,
    name: () => undefined,
    text,
    derived: text,
    turn: () => undefined,
    hasTaken: false,
  };
}

import type { Value, ValueMap } from '../model/value.ts';
import { partialJson } from './partial-json.ts';

/** Depth and size past which parsed JSON is cut: messages and arguments come from senders. */
export const jsonBounds = { depth: 24, members: 20_000 } as const;

/**
 * A value that may be JSON in a string, or JSON twice encoded (tool arguments often are), as plain data. Text that is no
 * JSON comes back as the text it is.
 */
export function parsedValue(value: Value | undefined): Value | undefined {
  let current = value;
  for (let layer = 0; layer < 2 && typeof current === 'string' && looksLikeJson(current); layer++) {
    try {
      current = JSON.parse(current) as Value;
    } catch {
      return current;
    }
  }
  return current;
}

/**
 * The same, and what stands before the cut where an emitter cut a list or map off. Only for texts whose structure the emitter wrote:
 * of a tool's own text nothing may get lost.
 */
export function parsedOrCut(value: Value | undefined): Value | undefined {
  const parsed = parsedValue(value);
  if (!isCut(parsed)) return parsed;
  const before = partialJson(parsed);
  return before === undefined || Object.keys(before as object).length === 0 ? parsed : before;
}

/** Whether what was parsed is still the text of a list or map: it was cut off. */
export function isCut(parsed: Value | undefined): parsed is string {
  return typeof parsed === 'string' && /^\s*[[{]/.test(parsed);
}

function looksLikeJson(text: string): boolean {
  const first = text.trimStart().charCodeAt(0);
  return first === 0x7b || first === 0x5b || first === 0x22;
}

export function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** An own member, never one inherited from a prototype. */
export function member(value: Value | undefined, key: string): Value | undefined {
  return isMap(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}

export function textMember(value: Value | undefined, key: string): string | undefined {
  const found = member(value, key);
  return typeof found === 'string' ? found : undefined;
}

/** Calls `visit` for every scalar inside a value with the path of keys to it; bounded in depth and number. */
export function walkScalars(value: Value, visit: (scalar: string | number | bigint, path: string) => void): void {
  let left: number = jsonBounds.members;
  const walk = (current: Value, path: string, depth: number): void => {
    if (left-- <= 0 || depth > jsonBounds.depth || current === null) return;
    if (typeof current === 'string' || typeof current === 'number' || typeof current === 'bigint') {
      visit(current, path);
    } else if (Array.isArray(current)) {
      for (const item of current) walk(item, path, depth + 1);
    } else if (isMap(current)) {
      for (const key of Object.keys(current)) walk(current[key]!, path === '' ? key : `${path}.${key}`, depth + 1);
    }
  };
  walk(value, '', 0);
}

/** Every text inside a value. */
export function textsIn(value: Value | undefined): string[] {
  const texts: string[] = [];
  if (value !== undefined) {
    walkScalars(value, (scalar) => {
      if (typeof scalar === 'string') texts.push(scalar);
    });
  }
  return texts;
}

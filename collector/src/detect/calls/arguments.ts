import { hash } from 'node:crypto';
import { limits } from '../../model/limits.ts';
import { isList, type Value, valueText } from '../../model/value.ts';

/**
 * Arguments as one text that does not depend on the order of keys, on white space, or on whether a number is written as a text.
 * What nests deeper than anybody's arguments is left out.
 */
export function canonicalText(value: Value, depth = 0): string {
  if (value === null || typeof value !== 'object') return JSON.stringify(valueText(value));
  if (depth > depthMax) return '""';
  if (isList(value)) return `[${value.map((member) => canonicalText(member, depth + 1)).join(',')}]`;
  return `{${Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalText(member, depth + 1)}`)
    .join(',')}}`;
}

/** A hash of it; '' for no arguments, which say nothing about which call it is. */
export function argumentsHash(value: Value): string {
  return value === null ? '' : hash('sha256', canonicalText(value), 'base64').slice(0, 22);
}

export interface Differences {
  /** `path: proposed -> executed`. */
  readonly changed: string[];
  /** `path: executed`, of arguments that were not proposed: often defaults. */
  readonly added: string[];
}

/** How executed arguments differ from those that were proposed. */
export function differences(proposed: Value, executed: Value): Differences {
  const found: Differences = { changed: [], added: [] };
  compare(proposed, executed, '', found, 0);
  return found;
}

function compare(
  proposed: Value | undefined,
  executed: Value | undefined,
  path: string,
  found: Differences,
  depth: number,
): void {
  if (found.changed.length >= limits.callDifferencesMax || depth > depthMax) return;
  if (proposed === undefined) {
    if (executed !== undefined && found.added.length < limits.callDifferencesMax)
      found.added.push(shown(`${path}: ${valueText(executed)}`));
    return;
  }
  if (isInner(proposed) && isInner(executed) && isList(proposed) === isList(executed)) {
    const [left, right] = [members(proposed), members(executed)];
    for (const key of new Set([...left.keys(), ...right.keys()])) {
      compare(left.get(key), right.get(key), path === '' ? key : `${path}.${key}`, found, depth + 1);
    }
    return;
  }
  // Null and absent mean the same to those who fill defaults in.
  if ((proposed === null && executed === undefined) || (proposed === null && executed === null)) return;
  if (executed !== undefined && canonicalText(proposed) === canonicalText(executed)) return;
  const now = executed === undefined ? '(left out)' : valueText(executed);
  found.changed.push(shown(`${path === '' ? '(all)' : path}: ${short(valueText(proposed))} -> ${now}`));
}

function isInner(value: Value | undefined): value is Value & object {
  return typeof value === 'object' && value !== null;
}

function members(value: Value & object): Map<string, Value> {
  return new Map(Object.entries(value) as [string, Value][]);
}

function shown(text: string): string {
  return text.length <= limits.callDifferenceCharsMax ? text : `${text.slice(0, limits.callDifferenceCharsMax - 1)}…`;
}

/** Both sides are to be seen within the bound. */
function short(text: string): string {
  const max = limits.callDifferenceCharsMax / 2;
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}

const depthMax = 24;

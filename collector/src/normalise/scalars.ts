import type { Value } from '../model/value.ts';
import { walkScalars } from './json-value.ts';

/** Every scalar of a value with the path of keys to it, so that facts about arguments walk through them once. */
export type Scalars = readonly (readonly [scalar: string | number | bigint, path: string])[];

export function scalarsOf(value: Value): Scalars {
  if (value === null) return none;
  const scalars: [string | number | bigint, string][] = [];
  walkScalars(value, (scalar, path) => scalars.push([scalar, path]));
  return scalars;
}

const none: Scalars = [];

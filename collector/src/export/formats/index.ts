import type { Format } from '../contract.ts';
import { cef } from './cef.ts';
import { leef } from './leef.ts';
import { plainJson } from './plain-json.ts';

/** What formats can be told. */
export interface FormatOptions {
  /** The version of OCSF that is written; 1.9 unless told otherwise, older ones for lakes that know no newer. */
  readonly ocsfVersion?: '1.1' | '1.8' | '1.9';
}

/** Every format: its name in the config, and how it is made. */
const formats = {
  json: plainJson,
  cef,
  leef,
} as const satisfies Readonly<Record<string, (options: FormatOptions) => Format>>;

export type FormatName = keyof typeof formats;

/** In the order in which pages list them. */
export const formatNames = Object.keys(formats) as [FormatName, ...FormatName[]];

/** The format of a name. */
export function openFormat(name: FormatName, options: FormatOptions = {}): Format {
  const open: (options: FormatOptions) => Format = formats[name];
  return open(options);
}

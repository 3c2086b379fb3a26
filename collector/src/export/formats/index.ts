import type { Format } from '../contract.ts';
import { cef } from './cef.ts';
import { cloudEvents } from './cloudevents.ts';
import { ecs } from './ecs.ts';
import { leef } from './leef.ts';
import { ocsf } from './ocsf.ts';
import type { OcsfVersion } from './ocsf-version.ts';
import { otlpLog } from './otlp-log.ts';
import { plainJson } from './plain-json.ts';
import { sentinel } from './sentinel.ts';
import { splunk } from './splunk.ts';
import { udm } from './udm.ts';

/** What formats can be told. */
export interface FormatOptions {
  /** The version of OCSF that is written; 1.9 unless told otherwise, older ones for lakes that know no newer. */
  readonly ocsfVersion?: OcsfVersion;
}

/** Every format: its name in the config, and how it is made. */
const formats = {
  json: plainJson,
  cloudevents: cloudEvents,
  ocsf,
  ecs,
  splunk,
  sentinel,
  udm,
  otlp: otlpLog,
  cef,
  leef,
} as const satisfies Readonly<Record<string, (options: FormatOptions) => Format>>;

export type FormatName = keyof typeof formats;

/** In the order in which pages list them. */
export const formatNames = Object.keys(formats) as [FormatName, ...FormatName[]];

/** The format of a name. Options of other formats are of no consequence. */
export function openFormat(name: FormatName, options: FormatOptions = {}): Format {
  const open: (options: FormatOptions) => Format = formats[name];
  return open(options);
}

import { z } from 'zod';
import type { Format } from '../contract.ts';
import { type FormatName, openFormat } from '../formats/index.ts';

/**
 * The settings that choose a format, for destinations that take more than one.
 * @param names those that fit into its envelope, the default first.
 */
export function formatSettings<const Names extends readonly [FormatName, ...FormatName[]]>(names: Names) {
  return {
    format: z
      .enum(names)
      .default(names[0] as never)
      .describe(`Format of the events: ${names.join(', ')}. Default ${names[0]}. See docs/formats.md.`),
    ocsf_version: z
      .enum(['1.1', '1.8', '1.9'])
      .default('1.9')
      .describe('Version of OCSF where format is ocsf: 1.1, 1.8 or 1.9. Default 1.9.'),
  };
}

export function formatOf(config: {
  readonly format: FormatName;
  readonly ocsf_version: '1.1' | '1.8' | '1.9';
}): Format {
  return openFormat(config.format, { ocsfVersion: config.ocsf_version });
}

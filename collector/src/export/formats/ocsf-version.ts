/** Versions of OCSF that can be written. Security Lake's custom sources take 1.1; `ai_agent` came with 1.9. */
export type OcsfVersion = '1.1' | '1.8' | '1.9';

/** `metadata.version` of each. */
export const ocsfFullVersions: Readonly<Record<OcsfVersion, string>> = {
  '1.1': '1.1.0',
  '1.8': '1.8.0',
  '1.9': '1.9.0',
};

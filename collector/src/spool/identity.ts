import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { errorCode, readFileBytes, replaceFile, type SpoolFiles } from './files.ts';
import { markerBytes } from './format.ts';

/** What a data directory is born with. */
export interface SpoolIdentity {
  /** 16 hex digits; part of every segment's id. */
  readonly spoolId: string;
  /** Secret: who knows it could forge records inside a payload. */
  readonly marker: Buffer;
}

const identityFile = 'spool.id';

/**
 * The identity in `spool.id`, which is made when it is missing. A damaged file is replaced by a new identity: segments
 * carry theirs in their own headers, and all that ids must be is different.
 */
export async function loadIdentity(files: SpoolFiles, directory: string): Promise<SpoolIdentity> {
  const known = await readIdentity(files, directory);
  if (known) return known;
  const identity = { spoolId: randomBytes(8).toString('hex'), marker: randomBytes(markerBytes) };
  const text = `${JSON.stringify({ format: 1, id: identity.spoolId, marker: identity.marker.toString('hex') })}\n`;
  await replaceFile(files, directory, identityFile, Buffer.from(text));
  return identity;
}

/** Undefined when there is none, or a damaged one. */
export async function readIdentity(files: SpoolFiles, directory: string): Promise<SpoolIdentity | undefined> {
  let text: string;
  try {
    text = (await readFileBytes(files, join(directory, identityFile))).toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
  const match = /"id":\s*"([0-9a-f]{16})".*"marker":\s*"([0-9a-f]{16})"/.exec(text);
  return match ? { spoolId: match[1]!, marker: Buffer.from(match[2]!, 'hex') } : undefined;
}

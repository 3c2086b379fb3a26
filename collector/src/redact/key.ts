import { randomBytes } from 'node:crypto';
import { chmodSync, linkSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { SpanwardenError } from '../model/errors.ts';

const keyBytesMin = 16;

/**
 * The key of the hashes in placeholders. A file that is not there is made, with mode 600 and 256 random bits, if `mayMake`.
 * Throws SpanwardenError SW_DATA_DIR when it cannot be read or made, or holds less than 16 bytes.
 */
export function redactionKey(file: string, mayMake: boolean): Buffer {
  const key = read(file) ?? (mayMake ? made(file) : undefined);
  if (key === undefined) throw problem(`the key file ${file} is not there`);
  if (key.length < keyBytesMin)
    throw problem(`the key file ${file} holds ${key.length} bytes, of at least ${keyBytesMin}`);
  return key;
}

function read(file: string): Buffer | undefined {
  try {
    return Buffer.from(readFileSync(file, 'latin1').trim(), 'latin1');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw problem(`the key file ${file} cannot be read: ${(error as Error).message}`);
  }
}

/** Written whole under another name first, so that a crash leaves no half a key. */
function made(file: string): Buffer {
  const draft = `${file}.${process.pid}.new`;
  try {
    writeFileSync(draft, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    chmodSync(draft, 0o600);
    linkSync(draft, file);
  } catch (error) {
    // Whoever was first has made the key that holds.
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST')
      throw problem(`the key file ${file} cannot be made: ${(error as Error).message}`);
  } finally {
    rmSync(draft, { force: true });
  }
  return read(file)!;
}

function problem(message: string): SpanwardenError {
  return new SpanwardenError({
    code: 'SW_DATA_DIR',
    message,
    advice: 'Set redact.key_file to a file of at least 16 random bytes that this user may read, or leave it out.',
  });
}

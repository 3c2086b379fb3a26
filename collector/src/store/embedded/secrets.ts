import { randomBytes } from 'node:crypto';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';

/** The password kept in a file of mode 600; a random one of 256 bits is made when there is none. */
export function keptPassword(file: string): string {
  const kept = readPassword(file);
  if (kept !== undefined) {
    chmodSync(file, 0o600);
    return kept;
  }
  const password = randomBytes(32).toString('base64url');
  writeFileSync(file, `${password}\n`, { mode: 0o600 });
  chmodSync(file, 0o600);
  return password;
}

/** The password in a file, or undefined when there is no such file or nothing in it. */
export function readPassword(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8').trim() || undefined;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

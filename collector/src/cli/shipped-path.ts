import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A folder that comes with the program: inside its package when it was installed, at the root of the repository otherwise. */
export function shippedPath(folder: 'rules' | 'grafana'): string {
  const candidates = ['../..', '../../..'].map((up) => fileURLToPath(new URL(`${up}/${folder}`, import.meta.url)));
  return candidates.find((path) => existsSync(path)) ?? candidates[0]!;
}

import { KeyTrait } from './argument-keys.ts';
import type { Scalars } from './scalars.ts';

/** File paths in arguments: texts that look like one, or stand under a name that means one. */
export function pathsIn(scalars: Scalars): string[] {
  const paths: string[] = [];
  for (const [scalar, , keys] of scalars) {
    if (typeof scalar !== 'string' || scalar.length > 4096 || scalar.includes('\n')) continue;
    if (scalar.startsWith('file://')) paths.push(normalPath(scalar.replace(/^file:\/\/[^/]*/, '')));
    else if (
      !scalar.includes('://') &&
      (pathShape.test(scalar) || ((keys & KeyTrait.path) !== 0 && !/\s{2}/.test(scalar)))
    )
      paths.push(normalPath(scalar));
  }
  return paths;
}

const pathShape = /^(?:~?\/|\.{1,2}\/|[A-Za-z]:[\\/])[^\n]{1,4000}$/;

/** Words of a command that look like paths, split without a grammar, so that those inside scripts in quotes are among them. */
export function pathWords(command: string): string[] {
  return command
    .slice(0, 16_384)
    .split(/[\s;|&<>()=]+/)
    .map((word) => word.replace(/^["']|["']$/g, ''))
    .filter(
      (word) => !word.includes('://') && /^(?:~|\.{0,2}\/|\.[a-z]|[a-z]:[\\/])[^\s]*$/i.test(word) && word.length > 1,
    )
    .slice(0, 64)
    .map(normalPath);
}

/** Dot segments resolved, separators as `/`, `$HOME` as `~`, without touching a disk. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  const text = path.replace(/\\/g, '/').replace(/^\$(?:HOME\b|\{HOME\})/, '~');
  for (const part of text.split('/')) {
    if (part === '.' || part === '') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !text.startsWith('/')) parts.push(part);
  }
  return (text.startsWith('/') ? '/' : '') + parts.join('/');
}

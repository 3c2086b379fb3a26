import { hostsInWords, networkPrograms, readHost } from './command-hosts.ts';
import { normalPath } from './paths.ts';
import { programName, type Segment } from './shell.ts';

/** What the programs of a shell command touch. */
export interface CommandEffects {
  readonly programs: readonly string[];
  readonly hosts: readonly string[];
  readonly writtenHosts: readonly string[];
  readonly tunnelHosts: readonly string[];
  readonly paths: readonly string[];
  readonly sql: readonly string[];
  readonly bodyBytes: number;
}

export function commandEffects(segments: readonly Segment[]): CommandEffects {
  const programs: string[] = [];
  const [hosts, writtenHosts, tunnelHosts, paths, sql]: string[][] = [[], [], [], [], []];
  let bodyBytes = 0;
  for (const { words, redirects } of segments) {
    const program = programName(words[0] ?? '');
    if (program === '') continue;
    programs.push(program);
    for (const { target } of redirects)
      if (target !== '' && !target.startsWith('/dev/null')) paths!.push(normalPath(target));
    for (const word of words) if (pathWord.test(word)) paths!.push(normalPath(word));
    const named = hostsInWords(
      program,
      words,
      redirects.map(({ target }) => target),
    );
    for (const word of named) readHost(word, hosts!, writtenHosts!, tunnelHosts!);
    if (networkPrograms.has(program)) bodyBytes += sentBytes(program, words);
    if (databasePrograms.has(program)) sql!.push(...statements(program, words));
  }
  return {
    programs,
    hosts: hosts!,
    writtenHosts: writtenHosts!,
    tunnelHosts: tunnelHosts!,
    paths: paths!,
    sql: sql!,
    bodyBytes,
  };
}

/** A word that is a path by itself: no white space, no URL. */
const pathWord =
  /^(?!-)(?!\S*:\/\/)(?:~|\$HOME\/|\$\{HOME\}\/|\$env:\w+[\\/]|[a-z]:[\\/]|\.{0,2}[\\/]|\.[a-z])[^\s]{1,4000}$/i;

const dataOption =
  /^(?:-d|-F|-T|--data(?:-\w+){0,2}|--json|--form(?:-string)?|--upload-file|--post-data|--post-file|--body-data|--body-file)(?:=|$)/;

/** Bytes that the command line itself gives to be sent; a file's size is not known. */
function sentBytes(program: string, words: readonly string[]): number {
  if (program !== 'curl' && program !== 'wget') return 0;
  let bytes = 0;
  words.forEach((word, at) => {
    if (!dataOption.test(word)) return;
    const value =
      word.includes('=') && word.startsWith('--') ? word.slice(word.indexOf('=') + 1) : (words[at + 1] ?? '');
    if (!value.startsWith('@')) bytes += Buffer.byteLength(value);
  });
  return bytes;
}

const databasePrograms = new Set([
  'psql',
  'mysql',
  'mariadb',
  'sqlite3',
  'duckdb',
  'clickhouse-client',
  'clickhouse',
  'sqlcmd',
  'bq',
  'cockroach',
]);
const statementOption = /^(?:-[a-z]*[ceqQ]|--(?:command|execute|query))(?:=([\s\S]*))?$/;

function statements(program: string, words: readonly string[]): string[] {
  const found: string[] = [];
  words.forEach((word, at) => {
    const option = at === 0 ? null : statementOption.exec(word);
    const value = option === null ? undefined : (option[1] ?? words[at + 1]);
    if (value !== undefined) found.push(value);
  });
  const last = words.at(-1) ?? '';
  if (found.length === 0 && /^(?:sqlite3|duckdb|bq)$/.test(program) && words.length > 2 && /\s/.test(last))
    found.push(last);
  return found;
}

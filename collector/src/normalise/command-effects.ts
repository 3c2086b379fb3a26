import { isExternalHost, urlHost } from './network.ts';
import { normalPath } from './paths.ts';
import { programName, type Segment } from './shell.ts';
import { carriesData } from './tunnel.ts';

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
    const options = networkPrograms.get(program);
    if (options !== undefined) {
      for (const word of operands(words, options)) readHost(word, hosts!, writtenHosts!, tunnelHosts!);
      bodyBytes += sentBytes(program, words);
    }
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
const pathWord = /^(?!-)(?!\S*:\/\/)(?:~|\$HOME\/|\$\{HOME\}\/|\.{0,2}\/|\.[a-z])[^\s]{1,4000}$/i;

/** Programs that take a host, and those of their options that take a value. */
const curlOptions =
  /^-(?:[A-Za-z]*[oAbcCdDeEFHKmPQrtTuUwxXyYz]|-(?!url$)(?:output|header|data[\w-]*|json|form[\w-]*|user|request|cookie[\w-]*|referer|user-agent|cacert|cert|key|max-time|connect-timeout|retry|write-out|upload-file|range|resolve|proxy|config|interface))$/;
const networkPrograms: ReadonlyMap<string, RegExp> = new Map([
  ['curl', curlOptions],
  [
    'wget',
    /^-(?:[A-Za-z]*[OoPaiUTtQwe]|-(?:output-document|output-file|directory-prefix|header|user|password|post-data|post-file|body-data|body-file|method|timeout|tries|user-agent))$/,
  ],
  ['http', /^$/],
  ['https', /^$/],
  ...[
    'nslookup',
    'dig',
    'host',
    'drill',
    'ping',
    'ping6',
    'traceroute',
    'telnet',
    'nc',
    'ncat',
    'netcat',
    'socat',
    'ftp',
    'whois',
  ].map((name): [string, RegExp] => [name, /^-[cwWipstqkynbf]$/]),
  ...['ssh', 'scp', 'sftp', 'rsync'].map((name): [string, RegExp] => [name, /^-[bcDEeFIiJLlmOopQRSWw]$/]),
]);

function* operands(words: readonly string[], valueOptions: RegExp): Generator<string> {
  for (let at = 1; at < words.length; at++) {
    const word = words[at]!;
    if (word.startsWith('-')) {
      if (valueOptions.test(word) && !word.includes('=')) at++;
    } else yield word;
  }
}

/** `host`, `host/path`, `host:port`, `user@host:path`, `@server` of dig; with `$()` in it a host that a substitution makes. */
function readHost(word: string, hosts: string[], written: string[], tunnel: string[]): void {
  if (word.length > 4096) return;
  const bare = word
    .replace(/^\w{1,16}:\/\//, '')
    .replace(/^@/, '')
    .replace(/^[^@/\s]{1,128}@/, '');
  const name = /^\[[0-9a-f:.]+\]|^[^/:?#\s]+/i.exec(bare)?.[0] ?? '';
  if (name.includes('$()')) {
    const rest = name
      .slice(name.lastIndexOf('$()') + 3)
      .replace(/^[^.]*\./, '')
      .toLowerCase();
    if (/^(?:[a-z0-9-]{1,63}\.){1,8}[a-z]{2,24}$/.test(rest) && isExternalHost(rest)) {
      hosts.push(rest);
      tunnel.push(`$().${rest}`);
    }
    return;
  }
  const isUrl = /^\w{1,16}:\/\//.test(word);
  if (!isUrl && (!hostWord.test(name) || fileName.test(name))) return;
  const host = urlHost(isUrl ? word : `http://${name}`);
  if (host === undefined) return;
  hosts.push(host);
  written.push(name.replace(/^\[|\]$/g, ''));
  if (carriesData(host)) tunnel.push(host);
}

const hostWord =
  /^(?:\[[0-9a-f:.]+\]|(?:[a-z0-9_-]{1,63}\.){1,10}[a-z][a-z0-9-]{1,62}\.?|(?:0x[0-9a-f]{1,8}|\d{1,12})(?:\.(?:0x[0-9a-f]{1,8}|\d{1,12})){1,3}|0x[0-9a-f]{7,8}|\d{8,10})$/i;
const fileName =
  /\.(?:py|md|sh|js|ts|tsx|jsx|json|html?|txt|pdf|csv|ya?ml|xml|png|jpe?g|gif|svg|zip|gz|tgz|tar|log|cfg|ini|conf|toml|rs|go|java|c|h|cpp|rb|pl|php|css|docx?|xlsx?|pptx?|lock|sql|ipynb|exe|dll|so|bin|out|tmp|bak|pem|key|crt|deb|rpm|whl|jar|img|iso)$/i;

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

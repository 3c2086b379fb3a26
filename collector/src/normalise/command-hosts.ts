import { isExternalHost, urlHost } from './network.ts';
import { carriesData } from './tunnel.ts';

/** Programs that take a host, and those of their options that take a value. */
const curlOptions =
  /^-(?:[A-Za-z]*[oAbcCdDeEFHKmPQrtTuUwxXyYz]|-(?!url$)(?:output|header|data[\w-]*|json|form[\w-]*|user|request|cookie[\w-]*|referer|user-agent|cacert|cert|key|max-time|connect-timeout|retry|write-out|upload-file|range|resolve|proxy|config|interface))$/;
export const networkPrograms: ReadonlyMap<string, RegExp> = new Map([
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
  ...['iwr', 'irm', 'invoke-webrequest', 'invoke-restmethod', 'test-netconnection', 'tnc', 'start-bitstransfer'].map(
    (name): [string, RegExp] => [
      name,
      /^-(?:method|body|outfile|headers|contenttype|useragent|infile|form|credential|timeoutsec|port|destination|proxy|sessionvariable|websession)$/i,
    ],
  ),
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
export function readHost(word: string, hosts: string[], written: string[], tunnel: string[]): void {
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

/** The words of a program that name a host: operands of those that take one, options, and the files that bash connects. */
export function* hostsInWords(
  program: string,
  words: readonly string[],
  targets: readonly string[],
): Generator<string> {
  for (const word of [...words, ...targets]) {
    const connected = /^\/dev\/(?:tcp|udp)\/([^/]{1,253})\/\w+$/.exec(word)?.[1];
    if (connected !== undefined) yield connected;
  }
  const options = networkPrograms.get(program);
  if (options !== undefined) yield* operands(words, options);
  const hostOption = hostOptions.get(program);
  if (hostOption !== undefined) yield* optionValues(words, hostOption);
  if (program === 'curl') yield* redirected(words);
  if (program === 'git')
    yield* words
      .slice(2)
      .flatMap((word) => /^(?:[\w.-]{1,64}@)?[\w.-]{1,253}\.[\w-]{1,63}(?=:[^/\\])/.exec(word) ?? []);
  if (program === 'socat') yield* words.flatMap((word) => socatAddress.exec(word)?.[1] ?? []);
}

const socatAddress =
  /^(?:tcp|udp|sctp|openssl|ssl|dtls|socks4a?|socks5|proxy)[46]?(?:-connect|-sendto|-datagram)?:(\[[^\]]{1,64}\]|[^:,]{1,253})/i;

/** Options whose value is a host, by program. */
const hostOptions: ReadonlyMap<string, RegExp> = new Map([
  ['curl', /^(?:-x|--proxy|--preproxy|--socks[45]\w*(?:-hostname)?)$/],
  ['openssl', /^-(?:connect|proxy)$/],
  ...[
    'psql',
    'pg_dump',
    'pg_restore',
    'mysql',
    'mysqldump',
    'mariadb',
    'redis-cli',
    'mongo',
    'mongosh',
    'mongodump',
    'clickhouse-client',
  ].map((name): [string, RegExp] => [name, /^(?:-h|--host)$/]),
  ['sqlcmd', /^-S$/],
]);

function* optionValues(words: readonly string[], option: RegExp): Generator<string> {
  for (let at = 1; at < words.length; at++) {
    const [name = '', value] = words[at]!.split('=', 2);
    if (!option.test(name)) continue;
    const host = value ?? words[at + 1];
    if (host !== undefined) yield host;
  }
}

/** `--connect-to here:80:there:80` and `--resolve here:80:address`. */
function* redirected(words: readonly string[]): Generator<string> {
  for (const value of optionValues(words, /^--(?:connect-to|resolve)$/)) {
    const there = /^[^:]{0,253}:\d{0,5}:(\[[^\]]{1,64}\]|[^:,]{1,253})/.exec(value)?.[1];
    if (there !== undefined) yield there;
  }
}

import { isList, type Value } from '../model/value.ts';
import { isMap, textsIn, walkScalars } from './json-value.ts';
import { bareHost, findEmails, findUrls, isExternalHost, isIp, registrableDomain, urlHost } from './network.ts';

export type EffectKind = 'read' | 'write' | 'delete' | 'send' | 'pay' | 'execute' | 'post' | 'merge' | 'install';

/** Effects by which something leaves or changes the world: where injected instructions do their harm. */
export const sinkKinds: ReadonlySet<EffectKind> = new Set([
  'send',
  'pay',
  'post',
  'write',
  'execute',
  'delete',
  'merge',
  'install',
]);

/** Effects that carry their arguments out of the agent's own surroundings. */
export const outgoingKinds: ReadonlySet<EffectKind> = new Set(['send', 'pay', 'post', 'execute']);

/** What a tool call touches, found in its name and arguments. Every list is bounded and without duplicates. */
export interface Effects {
  readonly kinds: readonly EffectKind[];
  readonly urls: readonly string[];
  readonly hosts: readonly string[];
  readonly domains: readonly string[];
  readonly externalDomains: readonly string[];
  readonly ips: readonly string[];
  readonly emails: readonly string[];
  readonly paths: readonly string[];
  readonly commands: readonly string[];
  readonly amounts: readonly string[];
  readonly httpMethod: string | undefined;
}

const itemsMax = 64;

export function effectsOf(tool: string, args: Value): Effects {
  const texts = textsIn(args);
  const urls = unique(texts.flatMap((text) => findUrls(text)));
  const hosts = unique([...urls.map(urlHost), ...namedHosts(args)].filter((host) => host !== undefined));
  const commands = commandsOf(tool, args);
  const httpMethod = methodOf(args);
  return {
    kinds: kindsOf(tool, httpMethod, commands),
    urls,
    hosts,
    domains: unique(hosts.map(registrableDomain)),
    externalDomains: unique(hosts.filter(isExternalHost).map(registrableDomain)),
    ips: hosts.filter(isIp),
    emails: unique(texts.flatMap((text) => findEmails(text))),
    paths: unique([...pathsOf(args), ...commands.flatMap(pathWords)]),
    commands,
    amounts: amountsOf(args),
    httpMethod,
  };
}

/**
 * What a tool does, by the words of its name: a clear verb decides; nouns such as `email` or `payment` only speak when
 * no verb does, so that `payments.list` reads and `payments.refund` pays. An HTTP method in the arguments adds to it.
 */
export function effectKinds(tool: string, args: Value): EffectKind[] {
  return kindsOf(tool, methodOf(args), commandsOf(tool, args));
}

function kindsOf(tool: string, method: string | undefined, commands: readonly string[]): EffectKind[] {
  const words = nameWords(tool);
  const kinds = new Set<EffectKind>();
  const verb = words.find((word) => Object.hasOwn(verbs, word));
  if (verb !== undefined) kinds.add(verbs[verb]!);
  const reads = verb !== undefined && verbs[verb] === 'read';
  for (const word of words) {
    if (!Object.hasOwn(nouns, word) || reads) continue;
    // A noun sharpens a general verb: `create_payment`, `make_transfer`, `run_shell`.
    if (verb === undefined || verbs[verb] === 'write' || nouns[word] === 'pay') kinds.add(nouns[word]!);
  }
  if (method !== undefined && ['POST', 'PUT', 'PATCH', 'DELETE'].includes(method)) kinds.add('post');
  if (commands.length > 0 && !reads) kinds.add('execute');
  return [...kinds];
}

const wordsOfNames = new Map<string, readonly string[]>();

/** The words of a tool's name. Agents have few tools and call them often, so they are worked out once. */
export function nameWords(tool: string): readonly string[] {
  let words = wordsOfNames.get(tool);
  if (words === undefined) {
    if (wordsOfNames.size >= 1024) wordsOfNames.clear();
    words = splitName(tool);
    wordsOfNames.set(tool, words);
  }
  return words;
}

function splitName(tool: string): string[] {
  return tool
    .slice(0, 256)
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');
}

const verbs: Readonly<Record<string, EffectKind>> = kindTable({
  read: 'read get list search find fetch view show lookup query browse describe count check inspect retrieve summarize peek',
  write:
    'write create update edit set put save insert append add modify patch rename move copy store reserve book schedule',
  delete: 'delete remove drop purge destroy erase wipe unlink truncate',
  send: 'send reply forward notify invite share publish tweet broadcast dm',
  pay: 'pay refund transfer charge payout withdraw purchase buy wire remit reimburse checkout',
  execute: 'exec execute run eval spawn',
  post: 'post upload webhook submit push',
  merge: 'merge',
  install: 'install',
});

const nouns: Readonly<Record<string, EffectKind>> = kindTable({
  send: 'email mail message sms',
  pay: 'payment payments money transaction refunds',
  execute: 'bash shell terminal powershell python sh cmd command code_interpreter subprocess',
});

function kindTable(words: Partial<Record<EffectKind, string>>): Record<string, EffectKind> {
  const table: Record<string, EffectKind> = Object.create(null);
  for (const [kind, list] of Object.entries(words))
    for (const word of list.split(' ')) table[word] = kind as EffectKind;
  return table;
}

function methodOf(args: Value): string | undefined {
  if (!isMap(args)) return undefined;
  const method = args.method ?? args.http_method;
  return typeof method === 'string' && /^[a-z]{3,7}$/i.test(method) ? method.toUpperCase() : undefined;
}

/** Hosts that stand bare, in arguments whose name says that a host or an address is meant. */
function namedHosts(args: Value): (string | undefined)[] {
  const hosts: (string | undefined)[] = [];
  walkScalars(args, (scalar, path) => {
    if (typeof scalar === 'string' && hostKey.test(path) && !scalar.includes('@')) hosts.push(bareHost(scalar.trim()));
  });
  return hosts;
}

const hostKey = /(?:^|[._])(?:host|hostname|domain|endpoint|server|url|uri|ip|ip_?address|webhook)$/i;

/** Shell commands: what a shell tool is given, and arguments called command or script. */
function commandsOf(tool: string, args: Value): string[] {
  const shell = nameWords(tool).some((word) => shellWords.has(word));
  const commands: string[] = [];
  if (typeof args === 'string') return shell && args !== '' ? [args] : [];
  if (!isMap(args)) return [];
  for (const key of Object.keys(args)) {
    if (!commandKey.test(key) && !(shell && shellInputKey.test(key))) continue;
    const value = args[key]!;
    if (typeof value === 'string') commands.push(value);
    else if (value !== null && isList(value)) commands.push(value.filter((word) => typeof word === 'string').join(' '));
  }
  return unique(commands);
}

const shellWords = new Set([
  'bash',
  'shell',
  'terminal',
  'powershell',
  'sh',
  'cmd',
  'exec',
  'execute',
  'command',
  'subprocess',
]);
const commandKey = /^(?:command|cmd|full_command|commands|shell_command|bash_command)$/i;
const shellInputKey = /^(?:input|script|code|args|argv|line)$/i;

function pathsOf(args: Value): string[] {
  const paths: string[] = [];
  walkScalars(args, (scalar, path) => {
    if (typeof scalar !== 'string' || scalar.length > 4096 || scalar.includes('\n') || scalar.includes('://')) return;
    if (pathShape.test(scalar) || (pathKey.test(path) && !/\s{2}/.test(scalar))) paths.push(normalPath(scalar));
  });
  return paths;
}

const pathKey = /(?:^|[._])(?:path|file|filename|file_path|filepath|dir|directory|folder|cwd)s?$/i;
const pathShape = /^(?:~?\/|\.{1,2}\/|[A-Za-z]:[\\/])[^\n]{1,4000}$/;

/** Words of a command that look like paths; quotes are taken off. */
function pathWords(command: string): string[] {
  return command
    .slice(0, 16_384)
    .split(/[\s;|&<>()=]+/)
    .map((word) => word.replace(/^["']|["']$/g, ''))
    .filter((word) => !word.includes('://') && /^(?:~|\.{0,2}\/|\.[a-z])[^\s]*$/i.test(word) && word.length > 1)
    .slice(0, itemsMax)
    .map(normalPath);
}

/** Dot segments resolved, separators as `/`, without touching a disk. */
export function normalPath(path: string): string {
  const parts: string[] = [];
  const text = path.replace(/\\/g, '/');
  for (const part of text.split('/')) {
    if (part === '.' || part === '') continue;
    if (part === '..' && parts.length > 0 && parts.at(-1) !== '..') parts.pop();
    else if (part !== '..' || !text.startsWith('/')) parts.push(part);
  }
  return (text.startsWith('/') ? '/' : '') + parts.join('/');
}

function amountsOf(args: Value): string[] {
  const amounts: string[] = [];
  walkScalars(args, (scalar, path) => {
    const text = String(scalar).trim();
    if (amountKey.test(path) && /^-?\d{1,15}(?:\.\d{1,6})?$/.test(text)) amounts.push(text);
  });
  return unique(amounts);
}

const amountKey = /(?:^|[._])(?:amount|total|price|sum|value|amount_?cents|amount_?eur|amount_?usd)$/i;

function unique(items: readonly string[]): string[] {
  return [...new Set(items)].slice(0, itemsMax);
}

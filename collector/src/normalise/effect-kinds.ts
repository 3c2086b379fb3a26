import { isList, type Value } from '../model/value.ts';
import { isMap } from './json-value.ts';
import { quoted } from './shell-wrappers.ts';

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

/**
 * What a tool does, by the words of its name: a clear verb decides; nouns such as `email` or `payment` only speak when
 * no verb does, so that `payments.list` reads and `payments.refund` pays. An HTTP method in the arguments adds to it.
 */
export function effectKinds(tool: string, args: Value): EffectKind[] {
  return kindsOf(tool, methodOf(args), commandsOf(tool, args));
}

export function kindsOf(tool: string, method: string | undefined, commands: readonly string[]): EffectKind[] {
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

export function methodOf(args: Value): string | undefined {
  if (!isMap(args)) return undefined;
  const method = args.method ?? args.http_method;
  return typeof method === 'string' && /^[a-z]{3,7}$/i.test(method) ? method.toUpperCase() : undefined;
}

/** Shell commands: what a shell tool is given, and arguments called command or script. */
export function commandsOf(tool: string, args: Value): string[] {
  const shell = isShell(tool);
  const commands: string[] = [];
  if (typeof args === 'string') return shell && args !== '' ? [args] : [];
  if (!isMap(args)) return [];
  // OpenAI's local shell has the command within an action.
  const holders = isMap(args.action ?? null) ? [args, args.action as typeof args] : [args];
  const isScript = typeof args.language === 'string' && /^(?:bash|sh|shell|zsh|powershell|pwsh)$/i.test(args.language);
  for (const [holder, key] of holders.flatMap((holder) => Object.keys(holder).map((key) => [holder, key] as const))) {
    if (!commandKey.test(key) && !((shell || isScript) && shellInputKey.test(key))) continue;
    const value = holder[key]!;
    if (typeof value === 'string') commands.push(value);
    else if (value !== null && isList(value))
      commands.push(commandLine(value.filter((word) => typeof word === 'string')));
  }
  return [...new Set(commands)].slice(0, commandsMax);
}

/** The words of a list as one line; a list of one is a line already. */
function commandLine(words: readonly string[]): string {
  return words.length < 2 ? (words[0] ?? '') : quoted(words);
}

/** Whether what the tool is given is a command, under whatever name. */
export function isShell(tool: string): boolean {
  return nameWords(tool).some((word) => shellWords.has(word));
}

/** Whether PowerShell reads it. */
export function isPowerShell(tool: string): boolean {
  return nameWords(tool).some((word) => word === 'powershell' || word === 'pwsh');
}

const shellWords = new Set([
  'pwsh',
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
export const commandKey = /^(?:command|cmd|full_command|commands|shell_command|bash_command)$/i;
const shellInputKey = /^(?:input|script|code|args|argv|line)$/i;

const commandsMax = 64;

import { programName, type ShellFeature, shells } from './shell-words.ts';

interface Wrapper {
  /** Options that take a value as the next word. */
  readonly values?: RegExp;
  /** Words between the options and the program. */
  readonly operands?: number;
}

/** Programs that start the program named in their arguments, and are nothing else to whoever reads what ran. */
const wrappers: ReadonlyMap<string, Wrapper> = new Map(
  Object.entries({
    sudo: { values: /^(?:-[ugpCThDRrtU]|--(?:user|group|prompt|chdir|host|role|type|chroot|other-user|close-from))$/ },
    doas: { values: /^-[uC]$/ },
    env: { values: /^(?:-[uCS]|--(?:unset|chdir|split-string))$/ },
    nohup: {},
    time: { values: /^(?:-[fo]|--(?:format|output))$/ },
    nice: { values: /^(?:-n|--adjustment)$/ },
    ionice: { values: /^(?:-[cn]|--class(?:data)?)$/ },
    timeout: { values: /^(?:-[ks]|--(?:kill-after|signal))$/, operands: 1 },
    stdbuf: { values: /^(?:-[ioe]|--(?:input|output|error))$/ },
    setsid: {},
    exec: { values: /^-a$/ },
    command: {},
    builtin: {},
    xargs: { values: /^(?:-[IinPLEdsa]|--(?:replace|max-args|max-procs|max-lines|delimiter|max-chars|arg-file|eof))$/ },
    watch: { values: /^(?:-n|--interval)$/ },
    busybox: {},
    toybox: {},
    fakeroot: {},
  }),
);

/** Programs that start another one and say something by it. */
const starters: ReadonlyMap<string, Wrapper> = new Map(
  Object.entries({
    parallel: { values: /^(?:-[jPNnLIaS]|--(?:jobs|max-args|arg-file|colsep|sshlogin))$/ },
    strace: { values: /^-[abeoOPpsSuEX]$/ },
    ltrace: { values: /^-[aAeFlnopsuwxX]$/ },
    unshare: {},
    nsenter: { values: /^(?:-[tSG]|--(?:target|setuid|setgid))$/ },
    chroot: { operands: 1 },
    gosu: { operands: 1 },
    'su-exec': { operands: 1 },
    taskset: { operands: 1 },
    flock: { values: /^(?:-[wE]|--(?:timeout|wait|conflict-exit-code))$/, operands: 1 },
    'systemd-run': { values: /^(?:-[upEM]|--(?:unit|property|setenv|machine|uid|gid|slice|description))$/ },
    wsl: { values: /^(?:-[du]|--(?:distribution|user|cd))$/i },
  }),
);

/** The words of the program itself, without those that start it. */
export function unwrapped(words: readonly string[], features: Set<ShellFeature>): readonly string[] {
  let own = words;
  for (let layer = 0; layer < 8; layer++) {
    const name = programName(own[0] ?? '');
    const wrapper = wrappers.get(name);
    if (wrapper === undefined) return own;
    const at = behindOptions(own, wrapper);
    if (at >= own.length) return own;
    if (name === 'sudo' || name === 'doas') features.add('privileged');
    own = own.slice(at);
  }
  return own;
}

function behindOptions(words: readonly string[], { values, operands = 0 }: Wrapper): number {
  let at = 1;
  while (at < words.length && /^(?:-.|\w+=)/.test(words[at]!)) at += values?.test(words[at]!) === true ? 2 : 1;
  return at + operands;
}

/** Scripts in the arguments of a program: `sh -c '…'`, `eval …`, `find … -exec …`, `ssh host …`, and what containers are to run. */
export function scriptsOf(words: readonly string[]): string[] {
  const program = programName(words[0] ?? '');
  if (shells.has(program) || (commandOption.has(program) && words.some(isCommandOption))) return optionScript(words);
  switch (program) {
    case 'eval':
    case 'iex':
    case 'invoke-expression':
      return [words.slice(1).join(' ')];
    case 'trap':
      return words.length > 2 && words[1] !== '-' ? [words[1]!] : [];
    case 'find':
      return executed(words);
    case 'ssh':
      return remote(words, /^-[BbcDEeFIiJLlmOopQRSWw]$/, 1);
    case 'docker':
    case 'podman':
    case 'nerdctl':
      return containers(words);
    case 'kubectl':
    case 'oc':
      return words.includes('exec') && words.includes('--') ? [quoted(words.slice(words.indexOf('--') + 1))] : [];
    default:
      return started(words, starters.get(program));
  }
}

function started(words: readonly string[], starter: Wrapper | undefined): string[] {
  if (starter === undefined) return [];
  const rest = words.slice(behindOptions(words, starter));
  return rest.length === 0 ? [] : [quoted(rest)];
}

function isCommandOption(word: string): boolean {
  return /^(?:-[a-z]*c|--command)$/.test(word);
}

/** Programs that are no shells and take a script in the option that shells have. */
const commandOption = new Set(['su', 'runuser', 'script', 'flock']);

function optionScript(words: readonly string[]): string[] {
  let at = words.findIndex((word, index) => index > 0 && isCommandOption(word));
  if (at < 0) return [];
  if (words[at + 1] === '--') at++;
  const script = words[at + 1];
  return script === undefined ? [] : [script];
}

/** What `find` runs: up to `;` or `+`. */
function executed(words: readonly string[]): string[] {
  const scripts: string[] = [];
  for (let at = 1; at < words.length && scripts.length < 16; at++) {
    if (!/^-(?:exec|execdir|ok|okdir)$/.test(words[at]!)) continue;
    const rest = words.slice(at + 1);
    const end = rest.findIndex((word) => word === ';' || word === '+');
    scripts.push(quoted(end < 0 ? rest : rest.slice(0, end)));
  }
  return scripts;
}

function remote(words: readonly string[], values: RegExp, operands: number): string[] {
  const rest = words.slice(behindOptions(words, { values, operands }));
  return rest.length === 0 ? [] : [rest.join(' ')];
}

/** `docker exec [options] container …` and `docker run [options] image …`. */
function containers(words: readonly string[]): string[] {
  const at = words.findIndex((word, index) => index > 0 && (word === 'exec' || word === 'run'));
  if (at < 0) return [];
  const rest = words.slice(behindOptions(words.slice(at), { values: containerValues, operands: 1 }) + at);
  return rest.length === 0 ? [] : [quoted(rest)];
}

const containerValues =
  /^(?:-[vepuwhlmac]|--(?!(?:rm|privileged|init|detach|interactive|tty|read-only|publish-all|no-healthcheck|oom-kill-disable|sig-proxy|disable-content-trust|quiet)$)[\w-]+)$/;

/** Words as a shell would have to be given them. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)).join(' ');
}

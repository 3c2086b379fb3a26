import { type Command, forEachChild, type SyntaxNode as Node, parse, type Redirection, type Word } from 'unbash';
import { powerShellCommands, powerShellScript } from './powershell.ts';
import { outputOf, readsScript } from './shell-flow.ts';
import { programName, type ShellFeature, shells } from './shell-words.ts';
import { scriptsOf, unwrapped } from './shell-wrappers.ts';

export { programName, type ShellFeature };

/** One program that a shell command starts, as the shell would start it: quotes taken off, known variables put in. */
export interface Segment {
  /** How it is reached: `|` reads from a pipe, `$(` in a substitution, `<(` in a process substitution, else empty. */
  readonly mark: '' | '|' | '$(' | '<(';
  /** The program and its arguments, without wrappers such as `sudo` or `env`. A substitution stands as `$()`. */
  readonly words: readonly string[];
  /** Redirections to and from files: `> path`, `>> path`, `< path`. */
  readonly redirects: readonly { readonly operator: string; readonly target: string }[];
}

export interface ShellCommand {
  readonly segments: readonly Segment[];
  readonly features: readonly ShellFeature[];
}

/** What is parsed of one command; what stands behind is split at separators only, so that padding hides nothing. */
const parsedCharsMax = 32_768;
const segmentsMax = 2048;
const nestingMax = 4;
const wordCharsMax = 32_768;
const variableCharsMax = 256;
/** A segment as text: what stands behind is found in the raw command only. */
const segmentCharsMax = 4096;

/**
 * The programs that a command line starts, in their order, also those in substitutions, loops, functions and in the script
 * given to `sh -c`, `eval`, PowerShell, a here-document for a shell or a pipe into one. What the parser cannot read is split at separators.
 * @param isPowerShell whether PowerShell or `cmd` reads the command
 */
export function parseCommand(command: string, isPowerShell = false): ShellCommand {
  const state: State = { segments: [], features: new Set(), variables: new Map() };
  if (isPowerShell) {
    addPowerShell(command, '', 0, state);
    return { segments: state.segments, features: [...state.features] };
  }
  readScript(command.slice(0, parsedCharsMax), '', 0, state);
  if (command.length > parsedCharsMax) split(command.slice(parsedCharsMax, parsedCharsMax * 32), '', state);
  return { segments: state.segments, features: [...state.features] };
}

/** A segment as one line: mark, words, redirections. */
export function segmentText({ mark, words, redirects }: Segment): string {
  const ends = redirects.map(({ operator, target }) => ` ${operator} ${target}`).join('');
  return `${mark === '' ? '' : `${mark} `}${words.join(' ')}${ends}`.slice(0, segmentCharsMax);
}

interface State {
  readonly segments: Segment[];
  readonly features: Set<ShellFeature>;
  readonly variables: Map<string, string>;
}

type Mark = Segment['mark'];

function readScript(script: string, mark: Mark, depth: number, state: State): void {
  if (script === '') return;
  let tree: ReturnType<typeof parse>;
  try {
    tree = parse(script);
  } catch {
    // Thousands of functions in one another end the parser's stack.
    split(script, mark, state);
    return;
  }
  try {
    visit(tree, mark, depth, state);
  } catch {
    split(script, mark, state);
    return;
  }
  const error = tree.errors?.[0];
  if (error !== undefined) split(script.slice(Math.max(0, error.pos)), mark, state);
}

/** What a command is, to whoever reads its output. */
interface Stage {
  readonly words: readonly string[];
  /** Here-documents. */
  readonly bodies: readonly string[];
}

function visit(node: Node, mark: Mark, depth: number, state: State): Stage | undefined {
  if (state.segments.length >= segmentsMax) {
    state.features.add('truncated');
    return undefined;
  }
  if (node.type === 'Command') return readCommand(node, mark, depth, state);
  if (node.type === 'Statement' && node.background === true) state.features.add('background');
  if (node.type === 'Pipeline') {
    visitPipe(node.commands, mark, depth, state);
    return undefined;
  }
  const inner: Mark = node.type === 'CommandExpansion' ? '$(' : node.type === 'ProcessSubstitution' ? '<(' : mark;
  if (inner !== mark || node.type === 'CommandExpansion') state.features.add('substitution');
  forEachChild(node, (child) => {
    visit(child, inner, depth, state);
  });
  return undefined;
}

/** A shell at the end of a pipe may get its script from what stands in front of it. */
function visitPipe(commands: readonly Node[], mark: Mark, depth: number, state: State): void {
  let given: string | undefined;
  commands.forEach((command, index) => {
    if (index > 0) state.features.add('pipe');
    const stage = visit(command, index > 0 ? '|' : mark, depth, state);
    if (stage !== undefined && given !== undefined && depth < nestingMax && readsScript(stage.words)) {
      state.features.add('nested_shell');
      readScript(given, mark, depth + 1, state);
    }
    given = stage === undefined ? undefined : outputOf(stage.words, given, stage.bodies);
  });
}

function readCommand(command: Command, mark: Mark, depth: number, state: State): Stage | undefined {
  // Substitutions run before the command that they stand in.
  forEachChild(command, (child) => {
    visit(child, mark, depth, state);
  });
  for (const each of command.prefix) {
    if (each.type !== 'Assignment' || each.value.type !== 'Word' || state.variables.size >= 256) continue;
    state.variables.set(each.name, wordTexts(each.value, state).join(' ').slice(0, variableCharsMax));
  }
  if (command.name === undefined || state.segments.length >= segmentsMax) return undefined;
  const words = wordTexts(command.name, state);
  for (const arg of command.args) {
    if (arg.type === 'Word') words.push(...wordTexts(arg, state));
    else words.push(arg.text);
  }
  const bodies = add(words, command.redirects, mark, state);
  const own = state.segments.at(-1)!.words;
  if (depth < nestingMax) {
    const scripts = [...scriptsOf(own), ...(shells.has(programName(own[0] ?? '')) ? bodies : [])];
    for (const script of scripts) {
      state.features.add('nested_shell');
      readScript(script, mark, depth + 1, state);
    }
    readPowerShell(powerShellScript(own), mark, depth + 1, state);
  }
  return { words: own, bodies };
}

function readPowerShell(script: string | undefined, mark: Mark, depth: number, state: State): void {
  if (script === undefined || depth > nestingMax) return;
  state.features.add('nested_shell');
  addPowerShell(script, mark, depth, state);
}

function addPowerShell(script: string, mark: Mark, depth: number, state: State): void {
  for (const { piped, words } of powerShellCommands(script.slice(0, parsedCharsMax))) {
    if (state.segments.length >= segmentsMax) {
      state.features.add('truncated');
      return;
    }
    if (piped) state.features.add('pipe');
    const own = unwrapped(words, state.features);
    state.segments.push({ mark: piped ? '|' : mark, words: own, redirects: [] });
    readPowerShell(powerShellScript(own), mark, depth + 1, state);
  }
}

/** Adds a segment; gives its here-documents. */
function add(words: readonly string[], redirections: readonly Redirection[], mark: Mark, state: State): string[] {
  const redirects: { operator: string; target: string }[] = [];
  const bodies: string[] = [];
  for (const redirection of redirections) {
    if (redirection.type === 'HereDoc') {
      state.features.add('here_document');
      bodies.push(redirection.body.text);
    } else if (redirection.target !== undefined) {
      const target = wordTexts(redirection.target, state).join(' ');
      if (redirection.type === 'HereString') bodies.push(target);
      else if (!/^(?:\d+|-)$/.test(target)) redirects.push({ operator: redirection.operator, target });
    }
  }
  if (redirects.length > 0) state.features.add('redirect');
  const own = unwrapped(words, state.features);
  state.segments.push({ mark, words: own, redirects });
  return bodies;
}

/** The words a word becomes: quotes off, variables that were set before put in, one `{a,b}` spread, `$IFS` a separator. */
function wordTexts(word: Word, state: State): string[] {
  if (word.parts === undefined) return [word.value.slice(0, wordCharsMax)];
  const brace = /^\{([^{},\s]*(?:,[^{},\s]*){1,32})\}$/.exec(word.text);
  if (brace !== null) return brace[1]!.split(',');
  let text = '';
  for (const part of word.parts) {
    if (text.length > wordCharsMax) break;
    text += partText(part, state, '\u0000');
  }
  return text
    .slice(0, wordCharsMax)
    .split('\u0000')
    .filter((each, _, all) => each !== '' || all.length === 1);
}

function partText(part: Node, state: State, separator: string): string {
  if (part.type === 'DoubleQuoted' || part.type === 'LocaleString') {
    return part.parts.map((child) => partText(child, state, ' ')).join('');
  }
  if (part.type === 'SimpleExpansion') return variable(part.text.slice(1), part.text, state, separator);
  if (part.type === 'ParameterExpansion') {
    const plain = part.prefix === undefined && part.index === undefined && part.operation === undefined;
    return plain ? variable(part.parameter, part.text, state, separator) : part.text.slice(0, wordCharsMax);
  }
  if (part.type === 'CommandExpansion') return '$()';
  if (part.type === 'ProcessSubstitution') return `${part.operator}()`;
  return 'value' in part && typeof part.value === 'string' ? part.value : 'text' in part ? part.text : '';
}

function variable(name: string, written: string, state: State, separator: string): string {
  if (name === 'IFS') return separator;
  // Positional parameters without arguments are empty; they are put between letters to break up names.
  if (/^[@*\d]$/.test(name) && name !== '0') return '';
  return state.variables.get(name) ?? written;
}

/** Without a grammar: split at separators, quotes off. */
function split(script: string, mark: Mark, state: State): void {
  state.features.add('unparsed');
  let next = mark;
  for (const [piece] of script.matchAll(/[^\n;|&]+|[\n;|&]+/g)) {
    if (state.segments.length >= segmentsMax) {
      state.features.add('truncated');
      return;
    }
    if (/^[\n;|&]/.test(piece)) {
      next = piece === '|' ? '|' : mark;
      continue;
    }
    const words = piece
      .slice(0, wordCharsMax)
      .split(/\s+/)
      .map((word) => word.replace(/["'`]/g, ''));
    const own = unwrapped(
      words.filter((word) => word !== ''),
      state.features,
    );
    if (own.length > 0) state.segments.push({ mark: next, words: own, redirects: [] });
  }
}

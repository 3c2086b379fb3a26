import { programName } from './shell-words.ts';

/** A command of PowerShell or `cmd`: the words, quotes and backticks taken off, variables that were set before put in. */
export interface PowerShellCommand {
  readonly words: readonly string[];
  readonly piped: boolean;
}

const commandsMax = 1024;
const variablesMax = 64;

/**
 * The commands of a script, also those in parentheses and blocks, in their order of writing: what is in quotes is one word, what separates
 * commands outside of them ends one. Backslashes stand for themselves, as in paths.
 */
export function powerShellCommands(script: string): PowerShellCommand[] {
  const commands: { words: string[]; readonly piped: boolean }[] = [];
  const variables = new Map<string, string>();
  let words: string[] = [];
  let piped = false;
  let isCalled = false;
  let first = '';
  const end = (separator: string): void => {
    const [, name, value] = assignment.exec(words.length < 4 ? words.join('') : '') ?? [];
    if (name !== undefined && !isCalled && variables.size < variablesMax) variables.set(name.toLowerCase(), value!);
    else if (words.length > 0 && !isCalled && goesOn.test(first) && commands.length > 0)
      commands.at(-1)!.words.push(...words);
    else if (words.length > 0) commands.push({ words, piped });
    // What parentheses hold goes to the command around them.
    if (words.length > 0 || separator !== '(') piped = separator === '|';
    words = [];
    isCalled = separator === '&';
  };
  for (const match of script.matchAll(token)) {
    if (commands.length >= commandsMax) break;
    const { separator, word } = match.groups!;
    if (separator !== undefined) end(separator);
    else if (word === '&' || (word === '.' && words.length === 0)) isCalled = true;
    else if (word !== undefined) {
      if (words.length === 0) first = word;
      words.push(variables.get(word.toLowerCase()) ?? plain(word));
    }
  }
  end('');
  return commands;
}

const assignment = /^(\$\w+)=(.+)$/s;
/** A text, a member, an option or a variable is no command. */
const goesOn = /^(?:["'$-]|\.\w)/;

/** The separators and the words; a backtick takes the sign from what is behind it, and the end from a line. */
const token =
  /`\r?\n|#[^\n]*|(?<separator>\|\||&&|[|;\n{}()]|(?<=\s)&(?=\s))|(?<word>=|(?:"(?:[^"`]|`[\s\S]|"")*"?|'[^']*'?|`[^\r\n]|[^\s"'`|;{}()=]|(?<=\S)=)+)/g;

function plain(word: string): string {
  return word.replace(/"((?:[^"`]|`[\s\S]|"")*)"?|'([^']*)'?|`([\s\S])/g, (_, double, single, escaped) =>
    (double ?? single ?? escaped).replace(/`([\s\S])/g, '$1'),
  );
}

/** The script that a program of PowerShell or `cmd` is given: `-Command`, `-EncodedCommand`, `/c`, `iex`; undefined when it is given none. */
export function powerShellScript(words: readonly string[]): string | undefined {
  const program = programName(words[0] ?? '');
  if (program === 'iex' || program === 'invoke-expression') return words.slice(1).join(' ') || undefined;
  if (program === 'start-process' || program === 'saps')
    return words
      .slice(1)
      .filter((word) => !/^-(?:filepath|argumentlist|wait|nonewwindow|verb|windowstyle)$/i.test(word))
      .join(' ');
  if (program === 'cmd') {
    const at = words.findIndex((word) => /^[/-][ck]$/i.test(word));
    return at < 0 ? undefined : words.slice(at + 1).join(' ');
  }
  if (program !== 'powershell' && program !== 'pwsh') return undefined;
  const at = words.findIndex(
    (word, index) =>
      index > 0 &&
      /^[-/](?:c(?:o(?:m(?:m(?:a(?:nd?)?)?)?)?)?|e(?:c|n(?:c(?:o(?:d(?:e(?:d(?:command)?)?)?)?)?)?)?)$/i.test(word),
  );
  if (at < 0) return undefined;
  if (/^.c/i.test(words[at]!)) return words.slice(at + 1).join(' ');
  return Buffer.from(words[at + 1] ?? '', 'base64').toString('utf16le');
}

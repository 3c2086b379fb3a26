/** What is special about a command line. */
export type ShellFeature =
  | 'pipe'
  | 'substitution'
  | 'redirect'
  | 'here_document'
  | 'background'
  | 'privileged'
  | 'nested_shell'
  | 'unparsed'
  | 'truncated';

/** The name of a program without its folder and `.exe`. */
export function programName(word: string): string {
  return word
    .replace(/^.*[\\/]/s, '')
    .replace(/\.exe$/i, '')
    .toLowerCase()
    .slice(0, 128);
}

export const shells: ReadonlySet<string> = new Set(['sh', 'bash', 'zsh', 'dash', 'ksh', 'ash', 'fish']);

import { type Problem, problemText } from '../model/errors.ts';
import { escapeControl, type Terminal } from './terminal.ts';

/** A problem with its place and advice, behind a word such as `error`. */
export function writeProblem(terminal: Terminal, problem: Problem, kind: string): void {
  const lines = problemText(problem).split('\n').map(escapeControl);
  terminal.writeLine(`${kind} ${lines.join('\n')}`);
}

/** `1 rule`, `2 rules`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

import { programName, shells } from './shell-words.ts';

/**
 * What a program of a pipe gives to the next one, where that stands on the command line itself: `echo`, `printf`, a here-document, and
 * what decodes them again. Undefined when it is not known.
 * @param given what comes from the program before
 * @param bodies here-documents
 */
export function outputOf(
  words: readonly string[],
  given: string | undefined,
  bodies: readonly string[],
): string | undefined {
  const program = programName(words[0] ?? '');
  const options = words.slice(1);
  switch (program) {
    case 'echo':
      return escaped(options.filter((word, at) => at > 0 || !/^-[neE]+$/.test(word)).join(' '));
    case 'printf':
      return escaped(options.slice(1).reduce((text, word) => text.replace(/%[sb]/, () => word), options[0] ?? ''));
    case 'cat':
    case 'tee':
      return bodies[0] ?? given;
    case 'rev':
      return given === undefined ? undefined : [...given].reverse().join('');
    case 'base64':
    case 'openssl':
      return given !== undefined && options.some((word) => /^(?:-d|-D|--decode|-di)$/.test(word))
        ? textOf(Buffer.from(given, 'base64'))
        : undefined;
    case 'xxd':
      return given !== undefined && options.some((word) => /^-\w*r/.test(word))
        ? textOf(Buffer.from(given.replace(/\s/g, ''), 'hex'))
        : undefined;
    default:
      return undefined;
  }
}

/** Whether a program reads its script from the program before it. */
export function readsScript(words: readonly string[]): boolean {
  return (
    shells.has(programName(words[0] ?? '')) &&
    words.slice(1).every((word) => /^(?:-|-[a-zA-Z]*s|-[elx]+|\/dev\/stdin)$/.test(word))
  );
}

function textOf(bytes: Buffer): string {
  return bytes.subarray(0, 32_768).toString('utf8');
}

function escaped(text: string): string {
  return text.slice(0, 32_768).replace(/\\(?:x([0-9a-f]{2})|0?([0-7]{3})|([nt]))/gi, (_, hex, octal, letter) => {
    if (letter !== undefined) return letter === 'n' ? '\n' : '\t';
    return String.fromCharCode(hex === undefined ? Number.parseInt(octal, 8) : Number.parseInt(hex, 16));
  });
}

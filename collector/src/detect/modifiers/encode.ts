/** UTF-16 and base64 forms of a value, as the modifiers `utf16*` and `base64*` need them. */
export type Utf16Form = 'utf16le' | 'utf16be' | 'utf16';

/** The value's UTF-16 bytes; `utf16` is little endian behind a byte order mark. */
export function utf16Bytes(text: string, form: Utf16Form): Buffer {
  const bytes = Buffer.from(form === 'utf16' ? `\ufeff${text}` : text, 'utf16le');
  return form === 'utf16be' ? bytes.swap16() : bytes;
}

/**
 * The three texts one of which stands in the base64 of anything that holds the bytes. For each offset, characters that
 * also depend on the neighbours are cut.
 */
export function base64Offsets(bytes: Uint8Array): string[] {
  const cutStart = [0, 2, 3];
  const cutEnd = [0, 3, 2];
  return [0, 1, 2].map((pad) => {
    const text = Buffer.concat([Buffer.alloc(pad), bytes]).toString('base64');
    const end = text.length - cutEnd[(bytes.length + pad) % 3]!;
    return text.slice(cutStart[pad], end);
  });
}

/** Text as a ClickHouse string literal. Nothing in it can end the literal, whatever it holds. */
export function literal(text: string): string {
  const escaped = text.replace(/[\\']/g, '\\$&').replace(/\p{Cc}/gu, hexEscape);
  return `'${escaped}'`;
}

/** A comment of one line. What would end it, or hide on a screen, becomes a space. */
export function comment(text: string): string {
  return `-- ${text.replace(/[\p{C}\p{Zl}\p{Zp}]+/gu, ' ')}`;
}

export function allOf(parts: readonly string[]): string {
  return joined(parts, 'AND', '1');
}

export function anyOf(parts: readonly string[]): string {
  return joined(parts, 'OR', '0');
}

export function not(part: string): string {
  return `NOT ${part.startsWith('(') ? part : `(${part})`}`;
}

function joined(parts: readonly string[], operator: string, none: string): string {
  if (parts.length === 0) return none;
  return parts.length === 1 ? parts[0]! : `(${parts.join(` ${operator} `)})`;
}

function hexEscape(char: string): string {
  // Beyond ASCII a code is no byte.
  if (char.charCodeAt(0) > 0x7f) return char;
  return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

import {
  COLLECTION_STYLE,
  EVENT_ID,
  type Event,
  getScalarValue,
  parseEvents,
  SCALAR_STYLE,
  type ScalarEvent,
} from 'js-yaml';
import type { Position } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import type { YamlEntry, YamlNode, YamlScalarValue } from './yaml.ts';

/**
 * Reads YAML about which there is nothing to say: maps, lists and scalars. Gives undefined for all else, which is errors and
 * what there may be errors or warnings about: aliases, tags, directives, empty values, keys that come twice or are no text,
 * values that YAML 1.1 reads as something else. `readDocuments` reads that, and tells.
 */
export function readEvents(file: string, text: string): readonly YamlNode[] | undefined {
  if (oddities.test(text)) return undefined;
  let events: readonly Event[];
  try {
    events = parseEvents(text, { maxDepth: limits.ruleNestingDepthMax });
  } catch {
    return undefined;
  }
  if (events.length > limits.ruleNodesMax) return undefined;
  return new EventReader(file, text, events).documents();
}

/** Where parsers of YAML disagree: tabs, other line ends than \n and \r\n, lines that end in a backslash or begin with `...` or `%`. */
const oddities = /[\t\uFEFF\u0085\u2028\u2029]|\r(?!\n)|\\\r?\n|^\.\.\.|^ *%/m;

class EventReader {
  readonly #file: string;
  readonly #text: string;
  readonly #events: readonly Event[];
  #next = 0;
  /** Where the last scalar ended. */
  #end = 0;
  #line = 1;
  #lineStart = 0;
  #lineEnd: number;

  constructor(file: string, text: string, events: readonly Event[]) {
    this.#file = file;
    this.#text = text;
    this.#events = events;
    this.#lineEnd = endOfLine(text, 0);
  }

  documents(): readonly YamlNode[] | undefined {
    const nodes: YamlNode[] = [];
    while (this.#next < this.#events.length) {
      const start = this.#events[this.#next++]!;
      if (start.type !== EVENT_ID.DOCUMENT || start.directives.length > 0) return undefined;
      const node = this.#node();
      if (!node) return undefined;
      if (node.kind !== 'scalar' || node.value !== null) nodes.push(node);
      this.#next++;
    }
    return nodes;
  }

  #node(): YamlNode | undefined {
    const event = this.#events[this.#next++]!;
    if (event.type === EVENT_ID.SCALAR) return this.#scalar(event);
    if (event.type !== EVENT_ID.MAPPING && event.type !== EVENT_ID.SEQUENCE) return undefined;
    if (event.anchorStart !== -1 || event.tagStart !== -1) return undefined;
    const at = this.#at(event.start);
    if (event.type === EVENT_ID.MAPPING) {
      const entries = this.#entries(event.style === COLLECTION_STYLE.BLOCK);
      return entries && { kind: 'map', entries, at };
    }
    const items: YamlNode[] = [];
    while (this.#events[this.#next]!.type !== EVENT_ID.POP) {
      const item = this.#node();
      if (!item) return undefined;
      items.push(item);
    }
    this.#next++;
    return items.length === 0 ? undefined : { kind: 'list', items, at };
  }

  #entries(block: boolean): YamlEntry[] | undefined {
    const entries: YamlEntry[] = [];
    const keys = new Set<string>();
    while (this.#events[this.#next]!.type !== EVENT_ID.POP) {
      const event = this.#events[this.#next]!;
      if (event.type !== EVENT_ID.SCALAR || !event.fast) return undefined;
      // The parser takes `- 'it's: b'` for a list of `it` and a key `s`.
      const before = entries.length > 0 && block ? this.#text.slice(this.#end - 1, event.valueStart) : '\n';
      if (!before.includes('\n')) return undefined;
      const key = this.#node();
      if (key?.kind !== 'scalar' || typeof key.value !== 'string') return undefined;
      if (keys.size === keys.add(key.value).size) return undefined;
      const value = this.#node();
      if (!value) return undefined;
      entries.push({ key: key.value, keyAt: key.at, value });
    }
    this.#next++;
    return entries.length === 0 ? undefined : entries;
  }

  #scalar(event: ScalarEvent): YamlNode | undefined {
    // A value that is left out has no place of its own.
    if (event.valueStart === -1 || event.anchorStart !== -1 || event.tagStart !== -1) return undefined;
    const plain = event.style === SCALAR_STYLE.PLAIN;
    const text = getScalarValue(this.#text, event);
    if (text.length > limits.ruleValueCharsMax) return undefined;
    const value = plain ? plainValue(text) : text;
    if (value === undefined) return undefined;
    const start = this.#startOf(event);
    const block = event.style === SCALAR_STYLE.LITERAL_BLOCK || event.style === SCALAR_STYLE.FOLDED_BLOCK;
    if (block && /^.[-+]?\d/.test(this.#text.slice(start, start + 3))) return undefined;
    const at = this.#at(start);
    this.#end = event.valueEnd;
    return { kind: 'scalar', value, plain, at };
  }

  /** Where the scalar begins with what marks it: its quote, or the `|` or `>` of a block. */
  #startOf({ style, valueStart }: ScalarEvent): number {
    if (style === SCALAR_STYLE.PLAIN) return valueStart;
    if (style === SCALAR_STYLE.SINGLE_QUOTED || style === SCALAR_STYLE.DOUBLE_QUOTED) return valueStart - 1;
    // The mark is the first of its kind in the line above the block that is not in a key.
    let start = Math.max(this.#end, this.#text.lastIndexOf('\n', valueStart - 2) + 1);
    while (start < valueStart && !'|>'.includes(this.#text[start]!)) start++;
    return start;
  }

  /** Offsets must not fall. */
  #at(offset: number): Position {
    while (offset > this.#lineEnd) {
      this.#line++;
      this.#lineStart = this.#lineEnd + 1;
      this.#lineEnd = endOfLine(this.#text, this.#lineStart);
    }
    return { file: this.#file, line: this.#line, column: offset - this.#lineStart + 1 };
  }
}

function endOfLine(text: string, start: number): number {
  const end = text.indexOf('\n', start);
  return end === -1 ? text.length : end;
}

/**
 * What a scalar without quotes is in the core schema (https://yaml.org/spec/1.2.2/#1032-tag-resolution), undefined for
 * what needs a warning.
 */
function plainValue(text: string): YamlScalarValue | undefined {
  if (!/^(?:[-+.\d~]|(?:null|true|false|y|yes|n|no|on|off)$)/i.test(text)) return text;
  if (/^(?:y|yes|n|no|on|off)$/i.test(text) || /^[-+]?0\d+$/.test(text)) return undefined;
  if (/^(?:~|null|Null|NULL)$/.test(text)) return null;
  if (/^(?:true|True|TRUE)$/.test(text)) return true;
  if (/^(?:false|False|FALSE)$/.test(text)) return false;
  if (/^(?:[-+]?\d+|0o[0-7]+|0x[\da-fA-F]+)$/.test(text)) {
    const value = BigInt(text);
    return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  }
  if (/^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(text)) return Number(text);
  if (/^[-+]?\.(?:inf|Inf|INF)$/.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  return /^\.(?:nan|NaN|NAN)$/.test(text) ? Number.NaN : text;
}

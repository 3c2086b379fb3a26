import { isMap, isScalar, isSeq, LineCounter, type ParsedNode, parseDocument } from 'yaml';
import type { Position, Problem } from '../model/errors.ts';
import { resolveReferences } from './references.ts';

export type Path = readonly PropertyKey[];

/** A config file as plain data that still knows where each value stands. */
export interface ConfigDocument {
  /** Objects without prototype, so that a key such as `__proto__` is an ordinary, unknown key. */
  readonly value: unknown;
  readonly problems: readonly Problem[];
  /** Where the value of a path stands, or the nearest one around it. */
  positionOf(path: Path): Position;
  /** Where the key of a path stands. */
  positionOfKey(path: Path): Position;
  /** Whether the text at the path came out of a reference, so that a number there is still a string. */
  isResolved(path: Path): boolean;
  /** Whether the reference at the path failed: its problem is told already. */
  isFailed(path: Path): boolean;
}

const nestingDepthMax = 32;

/** Reads YAML 1.2 and follows its references. Anchors, tags and several documents are refused: a config needs none. */
export function readConfigDocument(file: string, text: string, env: NodeJS.ProcessEnv): ConfigDocument {
  return new Reader(file, env).read(text);
}

class Reader {
  readonly #file: string;
  readonly #env: NodeJS.ProcessEnv;
  readonly #lines = new LineCounter();
  readonly #problems: Problem[] = [];
  readonly #values = new Map<string, Position>();
  readonly #keys = new Map<string, Position>();
  readonly #resolved = new Set<string>();
  readonly #failed = new Set<string>();

  constructor(file: string, env: NodeJS.ProcessEnv) {
    this.#file = file;
    this.#env = env;
  }

  read(text: string): ConfigDocument {
    return {
      value: this.#parse(text) ?? Object.create(null),
      problems: this.#problems,
      positionOf: (path) => this.#nearest(path),
      positionOfKey: (path) => this.#keys.get(id(path)) ?? this.#nearest(path),
      isResolved: (path) => this.#resolved.has(id(path)),
      isFailed: (path) => this.#failed.has(id(path)),
    };
  }

  #parse(text: string): unknown {
    let document: ReturnType<typeof parseDocument>;
    try {
      document = parseDocument(text, { version: '1.2', lineCounter: this.#lines, prettyErrors: false });
    } catch (error) {
      // The parser recurses: deep nesting ends its stack.
      if (!(error instanceof RangeError)) throw error;
      this.#problem('SW_CONFIG_YAML', 0, 'the YAML is nested too deeply');
      return undefined;
    }
    for (const { message, pos } of [...document.errors, ...document.warnings]) {
      this.#problem('SW_CONFIG_YAML', pos[0], firstLine(message), adviceFor(message));
    }
    if (document.errors.length > 0 || document.contents === null) return undefined;
    const value = this.#convert(document.contents as ParsedNode, []);
    return value === null ? undefined : value;
  }

  #convert(node: ParsedNode, path: Path): unknown {
    this.#values.set(id(path), this.#at(node.range[0]));
    if (path.length > nestingDepthMax) {
      this.#problem('SW_CONFIG_YAML', node.range[0], 'the YAML is nested too deeply');
    } else if (isMap<ParsedNode, ParsedNode | null>(node)) {
      const object = Object.create(null) as Record<string, unknown>;
      for (const { key, value } of node.items) {
        const name = isScalar(key) ? String(key.value) : '';
        const inner = [...path, name];
        this.#keys.set(id(inner), this.#at(key.range[0]));
        object[name] = value === null ? null : this.#convert(value, inner);
      }
      return object;
    } else if (isSeq<ParsedNode>(node)) {
      return node.items.map((item, index) => this.#convert(item, [...path, index]));
    } else if (isScalar(node)) {
      return typeof node.value === 'string' ? this.#text(node.value, path, node.range[0]) : node.value;
    } else {
      this.#problem('SW_CONFIG_YAML', node.range[0], 'aliases are not supported here', 'Write the value out.');
    }
    this.#failed.add(id(path));
    return undefined;
  }

  #text(text: string, path: Path, offset: number): string {
    const resolution = resolveReferences(text, this.#env);
    if (resolution.status === 'ok') {
      if (resolution.resolved) this.#resolved.add(id(path));
      return resolution.text;
    }
    this.#failed.add(id(path));
    this.#problem('SW_CONFIG_ENV', offset, `${path.join('.')}: ${resolution.message}`, resolution.advice);
    return '';
  }

  #nearest(path: Path): Position {
    for (let length = path.length; length >= 0; length -= 1) {
      const at = this.#values.get(id(path.slice(0, length)));
      if (at !== undefined) return at;
    }
    return { file: this.#file, line: 1, column: 1 };
  }

  #at(offset: number): Position {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(line, 1), column: Math.max(col, 1) };
  }

  #problem(code: Problem['code'], offset: number, message: string, advice?: string): void {
    this.#problems.push({ code, message, position: this.#at(offset), ...(advice !== undefined && { advice }) });
  }
}

function id(path: Path): string {
  return JSON.stringify(path);
}

/** The parser's messages may quote the source below; values must not be repeated, they may be secrets. */
function firstLine(message: string): string {
  return message.split('\n', 1)[0]!.replace(/:$/, '');
}

function adviceFor(message: string): string | undefined {
  if (/unique/i.test(message)) return 'Keep one of the two keys.';
  if (/tab/i.test(message)) return 'Indent with spaces.';
  return undefined;
}

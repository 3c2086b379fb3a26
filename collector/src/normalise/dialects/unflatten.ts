import type { Value } from '../../model/value.ts';

/** Keys deeper than this are left out: no convention nests further. */
export const keysDeepMax = 12;

interface Node {
  value?: Value;
  children?: Map<string, Node>;
}

/** Puts flattened keys together again; what does not fit is counted. */
export class Unflattener {
  readonly #root: Node = {};
  /** Keys left out: too deep, or under a key that has a value itself. */
  dropped = 0;

  add(path: readonly string[], value: Value): void {
    if (path.length === 0 || path.length > keysDeepMax) {
      this.dropped++;
      return;
    }
    let node = this.#root;
    for (const key of path) {
      node.children ??= new Map();
      let child = node.children.get(key);
      if (child === undefined) {
        child = {};
        node.children.set(key, child);
      }
      node = child;
    }
    node.value = value;
  }

  /** Undefined when nothing was added. */
  take(): Value | undefined {
    return this.#root.children === undefined ? undefined : this.#valueOf(this.#root);
  }

  /** A key with both a value and keys below it keeps those below: they say more. */
  #valueOf(node: Node): Value {
    if (node.children === undefined) return node.value ?? null;
    if (node.value !== undefined) this.dropped++;
    const entries = [...node.children];
    if (entries.every(([key]) => isIndex(key))) {
      return entries.sort(([a], [b]) => Number(a) - Number(b)).map(([, child]) => this.#valueOf(child));
    }
    const map: Record<string, Value> = Object.create(null);
    for (const [key, child] of entries) map[key] = this.#valueOf(child);
    return map;
  }
}

function isIndex(key: string): boolean {
  return /^\d{1,9}$/.test(key);
}

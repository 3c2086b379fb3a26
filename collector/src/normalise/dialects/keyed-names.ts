import type { FieldId, FieldTable } from '../../model/fields.ts';
import { limits } from '../../model/limits.ts';
import { keysDeepMax } from './unflatten.ts';

/** What the name of an attribute is to a prefix, where it is no `<prefix>.<number>.<key>`. */
export const notBelow = -1;
/** It is below the prefix and nothing more is known: another key, a number that no list has, or a key that is too deep. */
export const otherBelow = -2;

/** Names below one prefix, each looked at once. */
export class KeyedNames {
  readonly #fields: FieldTable;
  readonly #start: string;
  /** By field: 0 where it was not looked at, else what is told of it, and numbers as one more than they are. */
  #known = new Int16Array(1024);
  #generation = -1;

  constructor(fields: FieldTable, prefix: string) {
    this.#fields = fields;
    this.#start = `${prefix}.`;
  }

  /** To be called before a batch: ids of names may be others. */
  begin(): void {
    if (this.#generation !== this.#fields.generation) this.#known.fill(0);
    this.#generation = this.#fields.generation;
  }

  /** The number of the member that the attribute belongs to, `notBelow` or `otherBelow`. */
  numberOf(field: FieldId): number {
    const known = this.#known[field] || this.#look(field);
    return known > 0 ? known - 1 : known;
  }

  /** What stands behind the prefix, by its dots. */
  path(field: FieldId): string[] {
    return this.#fields.name(field).slice(this.#start.length).split('.');
  }

  #look(field: FieldId): number {
    if (field >= this.#known.length) {
      const larger = new Int16Array(Math.max(field + 1, this.#known.length * 2));
      larger.set(this.#known);
      this.#known = larger;
    }
    this.#known[field] = this.#told(field);
    return this.#known[field]!;
  }

  #told(field: FieldId): number {
    if (!this.#fields.name(field).startsWith(this.#start)) return notBelow;
    const path = this.path(field);
    const isMember = path.length > 1 && path.length <= keysDeepMax && listNumber.test(path[0]!);
    const number = isMember ? Number(path[0]) : limits.messagesPerListMax;
    return number < limits.messagesPerListMax ? number + 1 : otherBelow;
  }
}

const listNumber = /^(?:0|[1-9][0-9]{0,3})$/;

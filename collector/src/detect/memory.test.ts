import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createMemory } from './memory.ts';
import type { Stateful } from './state.ts';

/** Remembers texts in their order. */
class Notes implements Stateful {
  notes: string[] = [];
  #fresh: string[] = [];
  #wrong: boolean;

  constructor(wrong = false) {
    this.#wrong = wrong;
  }

  note(text: string): void {
    this.notes.push(text);
    this.#fresh.push(text);
  }

  takeJournal(): Uint8Array {
    return Buffer.from(this.#fresh.splice(0).join('\n'));
  }

  replay(journal: Uint8Array): void {
    if (this.#wrong) throw new TypeError('wrong');
    this.notes.push(...Buffer.from(journal).toString().split('\n'));
  }

  snapshot(): Uint8Array {
    return Buffer.from(JSON.stringify(this.notes));
  }

  restore(snapshot: Uint8Array) {
    if (this.#wrong) return { status: 'unreadable' } as const;
    this.notes = JSON.parse(Buffer.from(snapshot).toString());
    return { status: 'restored', rules: 1 } as const;
  }
}

test('each part gets back what is its own; what nobody knows is skipped', () => {
  const [a, b] = [new Notes(), new Notes()];
  const memory = createMemory({ a, b });
  assert.equal(memory.takeJournal().length, 0);
  a.note('one');
  b.note('two');
  memory.takeJournal();
  const snapshot = memory.snapshot();
  b.note('three');
  const journal = memory.takeJournal();

  const [later, added] = [new Notes(), new Notes()];
  const other = createMemory({ added, b: later });
  assert.deepEqual(other.restore(snapshot), { status: 'restored', rules: 1 });
  other.replay(journal);
  assert.deepEqual(later.notes, ['two', 'three']);
  assert.deepEqual(added.notes, []);
});

test('one part in trouble costs the others nothing, and is named', () => {
  const [a, b] = [new Notes(), new Notes()];
  const memory = createMemory({ a, b });
  a.note('one');
  b.note('two');
  const [snapshot, journal] = [memory.snapshot(), memory.takeJournal()];
  const fine = new Notes();
  const other = createMemory({ a: new Notes(true), b: fine });
  assert.deepEqual(other.restore(snapshot), { status: 'restored', rules: 1, unreadable: ['a'] });
  fine.notes = [];
  assert.throws(() => other.replay(journal), TypeError);
  assert.deepEqual(fine.notes, ['two']);
});

test('any other bytes are unreadable or harmless', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      const memory = createMemory({ a: new Notes() });
      assert.ok(['restored', 'unreadable'].includes(memory.restore(bytes).status));
    }),
  );
  assert.deepEqual(createMemory({}).restore(Uint8Array.of(9)), { status: 'unreadable' });
});

test('pieces that nobody asks for any more are cut, at whichever they were', () => {
  const parts = { a: new Notes(), b: new Notes() };
  for (const part of Object.values(parts)) part.note('x');
  const memory = createMemory(parts);
  let pieces = 0;
  for (const counted = memory.slices(); counted.next(); ) pieces++;
  for (let taken = 0; taken < pieces; taken++) {
    const slices = memory.slices();
    for (let i = 0; i < taken; i++) slices.next();
    slices.cancel();
    assert.equal(slices.next(), undefined);
    assert.equal(slices.isCut, true, `after ${taken} of ${pieces}`);
  }
  const whole = memory.slices();
  while (whole.next()) {}
  whole.cancel();
  assert.equal(whole.isCut, false);
});

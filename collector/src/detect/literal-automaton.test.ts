import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Automaton, buildAutomaton } from './literal-automaton.ts';

const lengths = [32, 16, 8, 6, 5, 4, 3, 2, 1];
/** Few letters, so that needles begin and end like one another. */
const letters = (max: number): fc.Arbitrary<string> =>
  fc.array(fc.constantFrom('a', 'b', ' ', 'é'), { minLength: 1, maxLength: max }).map((units) => units.join(''));
const needle = letters(40).map((text) => text.replaceAll(/ +/g, ' '));

/** The needles of which the automaton says that they may stand in the text. */
function found({ classOf, classes, next, loud, outputStarts, outputIds }: Automaton, text: string): number[] {
  const ids = new Set<number>();
  for (let at = 0, row = 0; at < text.length; at++) {
    row = next[row + classOf[text.charCodeAt(at)]!]!;
    const place = (row - loud) / classes;
    for (let i = outputStarts[place] ?? 0; row >= loud && i < outputStarts[place + 1]!; i++) ids.add(outputIds[i]!);
  }
  return [...ids].sort((a, b) => a - b);
}

/** How much of each needle a table of so many states has room for. */
function lengthWithin(needles: readonly string[], statesMax: number): number {
  const statesOf = (length: number) =>
    new Set(
      needles.flatMap((each) => Array.from({ length: Math.min(each.length, length) }, (_, i) => each.slice(0, i + 1))),
    ).size + 1;
  return lengths.find((length) => length === 1 || statesOf(length) <= statesMax)!;
}

test('the table finds every needle, or of each as much as there is room for, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(needle, { minLength: 1, maxLength: 12 }),
      fc.array(fc.tuple(fc.nat(11), fc.nat(39), letters(3)), { minLength: 1, maxLength: 12 }),
      fc.oneof(fc.constant(1_000_000), fc.integer({ min: 1, max: 9000 })),
      (needles, pieces, cellsMax) => {
        // Of beginnings of needles, which go on otherwise.
        const text = pieces.map(([id, end, more]) => needles[id % needles.length]!.slice(0, end) + more).join('');
        const automaton = buildAutomaton(needles, cellsMax);
        const length = lengthWithin(needles, Math.max(Math.floor(cellsMax / automaton.classes), automaton.classes + 1));
        const shown = text.replaceAll(/ +/g, ' ');
        const expected = [...needles.keys()].filter((id) => shown.includes(needles[id]!.slice(0, length)));
        assert.deepEqual(found(automaton, text), expected);
      },
    ),
    { numRuns: 300 },
  );
});

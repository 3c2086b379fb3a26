import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import type { Format } from '../../contract.ts';
import { caseEvent, context, findingEvent } from './events.ts';

const folder = join(import.meta.dirname, '..', 'fixtures');

/**
 * Compares what the format writes of the finding and of the case, byte for byte, with `fixtures/<name>.finding` and
 * `<name>.case`. `GOLDENS=update npm test -- formats` writes them; read the difference before you commit it.
 */
export function assertGoldens(name: string, format: Format): void {
  for (const event of [findingEvent, caseEvent]) {
    const file = join(folder, `${name}.${event.kind}`);
    const written = `${format.encode(event, context)}\n`;
    if (process.env.GOLDENS === 'update') writeFileSync(file, written);
    assert.equal(written, readFileSync(file, 'utf8'), `${file}: GOLDENS=update writes what the format gives now`);
  }
}

/**
 * A process for the kill tests: appends batches one after the other and in groups, counting up from a number, and writes
 * the number of each on its own line once it was acknowledged. Arguments: directory, first number.
 */
import { writeSync } from 'node:fs';
import { openSpool } from '../spool.ts';
import { numberedBatch } from './records.ts';
import { quietOptions } from './temporary.ts';

const [directory, first] = [process.argv[2]!, Number(process.argv[3])];
const spool = await openSpool(quietOptions(directory, { segmentBytesMax: 64 * 1024 }));
writeSync(1, 'open\n');
let number = first;
for (;;) {
  const group = Array.from({ length: 1 + (number % 4) }, async () => {
    const mine = number++;
    const outcome = await spool.append(numberedBatch(mine, (mine * 37) % 5000));
    if (outcome.status === 'ok') writeSync(1, `${mine}\n`);
  });
  await Promise.all(group);
}

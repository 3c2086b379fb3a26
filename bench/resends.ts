// `node bench/resends.ts [--quick]`: what it costs to recognise spans that come again, beside decoding them. All spans are new, as
// nearly all are; the ring is full and each span pushes the oldest out. See bench/README.md.

import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { limits } from '../collector/src/model/limits.ts';
import { ok } from '../collector/src/model/outcome.ts';
import { Span } from '../collector/src/model/span-batch.ts';
import { createResends, type Resends } from '../collector/src/resends.ts';
import { makeBodies, spanSizes } from './spans.ts';

const [rounds, secondsMin] = process.argv.includes('--quick') ? [2, 0.1] : [9, 0.5];
const landed = Promise.resolve(ok);

process.stdout.write(`${'span bytes'.padStart(10)} ${'decode, ns'.padStart(12)} ${'recognise, ns'.padStart(14)}\n`);
for (const size of spanSizes) {
  const bodies = makeBodies(size, 16, Math.max(8, Math.floor(400_000 / size)));
  const decoder = new TraceDecoder(createFieldTable());
  const resends = createResends({ traces: limits.resentRecordsMax }).traces;
  const plain = () => bodies.reduce((spans, body) => spans + run(decoder, body), 0);
  const sifting = () => bodies.reduce((spans, body) => spans + run(decoder, body, resends), 0);
  for (let spans = 0; spans < limits.resentRecordsMax; ) spans += sifting();
  let [decode, both] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  // By turns, so that what else the machine does falls on both.
  for (let round = 0; round < rounds; round++) {
    decode = Math.min(decode, nanosPerSpan(plain));
    both = Math.min(both, nanosPerSpan(sifting));
  }
  const figures = [String(size).padStart(10), decode.toFixed(0).padStart(12), (both - decode).toFixed(0).padStart(14)];
  process.stdout.write(`${figures.join(' ')}\n`);
}

/** Bodies come again and again here; a byte of each span id that goes up makes them new. */
function run(decoder: TraceDecoder, body: Buffer, resends?: Resends['traces']): number {
  const outcome = decoder.decode(body);
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  const { batch } = outcome;
  const { spanCount, spans } = batch;
  for (let span = 0; span < spanCount; span++) {
    const id = spans[span * Span.stride + Span.spanId]!;
    batch.bytes.writeUInt32LE((batch.bytes.readUInt32LE(id) + 1) >>> 0, id);
  }
  if (resends === undefined) return spanCount;
  const sift = resends.sift(batch);
  if (sift.resent > 0) throw new Error('a span that is new was taken for one that came before');
  sift.underWay(landed);
  sift.settle(true);
  resends.takeJournal();
  return spanCount;
}

function nanosPerSpan(work: () => number): number {
  const before = process.cpuUsage();
  let spans = 0;
  for (;;) {
    spans += work();
    const { user, system } = process.cpuUsage(before);
    if (user + system >= secondsMin * 1e6) return ((user + system) * 1000) / spans;
  }
}

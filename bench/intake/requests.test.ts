import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { otlpJsonToProtobuf } from '../../collector/src/decode/json.ts';
import { TraceDecoder } from '../../collector/src/decode/trace-decoder.ts';
import { createFieldTable } from '../../collector/src/model/fields.ts';
import { NormalisedEvents } from '../../collector/src/normalise/span-events.ts';
import { type Protocol, protocols, RequestFiles, readRequests, spansPerRequest } from './requests.ts';

const folder = mkdtempSync(join(tmpdir(), 'requests-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const files = new RequestFiles(folder, new Map([[30_000, 2]]));

for (const protocol of protocols) {
  test(`${protocol}: every span is one of its own, also where requests begin again`, () => {
    const bodies = [0, 1].flatMap(() => readRequests(files.write(30_000, protocol, 3)));
    assert.equal(bodies.length, 6);
    for (const id of ['trace_id', 'span_id', 'gen_ai.conversation.id']) {
      const seen = new Set(bodies.flatMap((body) => idsOf(protocol, body, id)));
      assert.equal(seen.size, 6 * spansPerRequest(30_000), id);
    }
  });
}

function idsOf(protocol: Protocol, body: Buffer, id: string): unknown[] {
  const fields = createFieldTable();
  const decoder = new TraceDecoder(fields);
  const bytes = protocol === 'HTTP protobuf + gzip' ? gunzipSync(body) : body;
  const outcome = decoder.decode(protocol === 'HTTP JSON' ? ofJson(bytes) : bytes);
  assert.equal(outcome.status, 'ok');
  if (outcome.status !== 'ok') return [];
  const events = new NormalisedEvents(fields);
  events.bind(outcome.batch);
  return Array.from({ length: outcome.batch.spanCount }, (_, i) => events.value(i, fields.intern(id)));
}

function ofJson(bytes: Buffer): Buffer {
  const outcome = otlpJsonToProtobuf(bytes);
  assert.equal(outcome.status, 'ok');
  return outcome.status === 'ok' ? outcome.bytes : bytes;
}

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { decodeAs } from '../decode/json.ts';
import { TraceDecoder } from '../decode/trace-decoder.ts';
import { loadRules } from '../detect/load.ts';
import { createFieldTable } from '../model/fields.ts';
import { NormalisedEvents } from '../normalise/span-events.ts';
import { Backtest } from './backtest.ts';

const rules = `
title: Call
name: call
logsource: {product: ai_agent, category: tool}
detection: {s: {gen_ai.tool.name|exists: true}, condition: s}
---
title: A call
correlation: {type: event_count, rules: [call], group-by: [service.name], timespan: 1h, condition: {gte: 1}}
---
title: Two calls
correlation: {type: event_count, rules: [call], group-by: [service.name], timespan: 1h, condition: {gte: 2}}
`;

/** The findings of each rule over one request. */
function firesOver(request: Buffer): Record<string, number> {
  const fields = createFieldTable();
  const decoded = decodeAs(new TraceDecoder(fields), 'traces', 'json', request);
  assert.ok(decoded.status === 'ok');
  const run = new Backtest({ rules: loadRules([{ path: 'r.yml', text: rules }]), fields, fromNanos: 0n });
  run.take(new NormalisedEvents(fields).bind(decoded.batch));
  return Object.fromEntries(run.finish().map(({ title, fires }) => [title, fires]));
}

describe('a tool call counts once in a backtest, as in the stream, where it is', () => {
  const folder = join(import.meta.dirname, '../../../test/fixtures/traces');
  /** Neither spans of tools nor ids of calls nor results. */
  const untold = new Set(['openinference-haystack chatWithTool']);
  const emitters = readdirSync(folder).filter((emitter) => !['demo', 'regenerate'].includes(emitter));
  for (const emitter of emitters) {
    // What some say of tool calls is in their log records, which a backtest does not read.
    const stories = ['chatWithTool', 'agentWithMcpError'].filter(
      (story) => !untold.has(`${emitter} ${story}`) && !existsSync(join(folder, emitter, `${story}.logs.json`)),
    );
    for (const story of stories) {
      test(`${story} of ${emitter}`, () => {
        const fires = firesOver(readFileSync(join(folder, emitter, `${story}.json`)));
        assert.deepEqual(fires, { 'A call': 1, 'Two calls': 0 });
      });
    }
  }
});

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readRuleFiles, shippedRulesPath } from './cli/load-rules.ts';
import { otlpJsonToProtobuf, type Signal } from './decode/json.ts';
import { withCasework } from './detect/casework.ts';
import { createDetector } from './detect/engine.ts';
import { loadRules } from './detect/load.ts';
import { UsageWrappers } from './detect/usage-wrappers.ts';
import { createJoiner } from './log-events.ts';
import { createFieldTable } from './model/fields.ts';

import { ok } from './model/outcome.ts';
import { watchedAttributes } from './normalise/derivations.ts';
import { TracePipeline } from './pipeline.ts';
import type { Encoding } from './receive/contract.ts';
import { createRedactor } from './redact/row-redactor.ts';
import { createToolCalls } from './tool-calls.ts';

const nowMs = 1_795_890_000_000;
const latenessNanos = 30_000_000_000n;
const rules = loadRules(readRuleFiles([shippedRulesPath()]).rules);

/** A pipeline with all that judges and stores, and the bytes of what it stores. */
function setup(messages: 'full' | 'once') {
  const fields = createFieldTable();
  const [joiner, calls] = [createJoiner(fields, latenessNanos), createToolCalls(fields, latenessNanos)];
  const usage = new UsageWrappers(fields);
  const detecting = { fields, journal: true, allowedLatenessNanos: latenessNanos };
  const detector = createDetector({ ...rules, ...detecting, watchedFields: watchedAttributes });
  const redactor = () => createRedactor({ profile: 'secrets', key: Buffer.alloc(32, 1), fields });
  const stored: Buffer[] = [];
  const pipeline = new TracePipeline({
    ...{ fields, joiner, calls, usage, messages, retentionMs: 30 * 86_400_000, now: () => nowMs },
    detector: withCasework(detector, { ...detecting, parts: { logs: joiner, calls, usage } }),
    redactors: { otel_traces: redactor(), otel_logs: redactor(), findings: redactor(), cases: redactor() },
    log: {
      committed: () => undefined,
      refusal: () => undefined,
      append: async ({ rows }) => {
        stored.push(...rows.map(({ bytes }) => Buffer.from(bytes)));
        return ok;
      },
    },
    observer: { detectFailed: (error) => assert.fail(error as Error) },
  });
  return { pipeline, stored };
}

/** What every emitter sent, in the one encoding or the other; memory of its own each time. */
function requests(encoding: Encoding): { readonly signal: Signal; readonly bytes: Buffer }[] {
  const folder = join(import.meta.dirname, '../../test/fixtures/traces');
  return readdirSync(folder).flatMap((emitter) =>
    ['chatWithTool', 'agentWithMcpError', 'streamedRetrieval'].flatMap((story) =>
      (['traces', 'logs'] as const).flatMap((signal) => {
        const path = join(folder, emitter, `${story}${signal === 'logs' ? '.logs' : ''}.json`);
        if (!existsSync(path)) return [];
        const json = readFileSync(path);
        if (encoding === 'json') return [{ signal, bytes: json }];
        const translated = otlpJsonToProtobuf(json, signal);
        assert.equal(translated.status, 'ok');
        return [{ signal, bytes: Buffer.from(translated.bytes) }];
      }),
    ),
  );
}

async function storedOf(encoding: Encoding, messages: 'full' | 'once', after: (bytes: Buffer) => void) {
  const { pipeline, stored } = setup(messages);
  // Twice, so that what was remembered of the first time is used.
  for (const { signal, bytes } of [...requests(encoding), ...requests(encoding)]) {
    assert.equal((await pipeline.consume(encoding, bytes, signal)).status, 'ok');
    after(bytes);
  }
  await pipeline.flush();
  return Buffer.concat(stored);
}

// Servers lend the memory of a body to another request then.
for (const encoding of ['protobuf', 'json'] as const) {
  for (const messages of ['full', 'once'] as const) {
    test(`nothing reads the ${encoding} of a request that is stored, messages: ${messages}`, async () => {
      const expected = await storedOf(encoding, messages, () => {});
      assert.ok(expected.includes('gen_ai.tool.name'));
      const others = await storedOf(encoding, messages, (bytes) => void bytes.fill(0xaa));
      assert.ok(others.equals(expected));
    });
  }
}

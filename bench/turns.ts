// `node bench/turns.ts --other <checkout>`: two versions of the collector in one process by turns, on the same spans, which neither has seen.
// What else the machine does is the same for both, so that a change of a few per cent shows. The way of a request from its bytes to the rows
// and the journal that are handed to the spool, with all that is remembered; HTTP, the disk and ClickHouse are left out. See bench/README.md.

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import type * as LoadRules from '../collector/src/cli/load-rules.ts';
import type * as Casework from '../collector/src/detect/casework.ts';
import type * as Engine from '../collector/src/detect/engine.ts';
import type * as Load from '../collector/src/detect/load.ts';
import type * as Usage from '../collector/src/detect/usage-wrappers.ts';
import type * as LogEvents from '../collector/src/log-events.ts';
import type * as Fields from '../collector/src/model/fields.ts';
import type * as Derivations from '../collector/src/normalise/derivations.ts';
import type * as Pipeline from '../collector/src/pipeline.ts';
import type * as Redactor from '../collector/src/redact/row-redactor.ts';
import type * as ToolCalls from '../collector/src/tool-calls.ts';
import { spansPerRequest } from './intake/requests.ts';
import { makeBodies, type SpanSize } from './spans.ts';
import { rulesTimes } from './stages.ts';

const { values } = parseArgs({
  options: {
    other: { type: 'string' },
    size: { type: 'string', default: '3000' },
    rules: { type: 'string', default: 'shipped' },
    requests: { type: 'string', default: '40' },
    json: { type: 'boolean', default: false },
    /** Only writes requests into this file, which the bench has done by a process of its own: an SDK remembers what it made. */
    bodies: { type: 'string' },
  },
});
const [size, requests] = [Number(values.size), Number(values.requests)];
const spans = spansPerRequest(size as SpanSize);
/** Compiling is over when most of these have gone through. */
const warmUp = Math.ceil(requests / 4);
const latenessNanos = 30_000_000_000n;

interface Version {
  consume(bytes: Buffer): Promise<void>;
  settle(): Promise<unknown>;
  /** Of all rows and journals so far. */
  digest(): string;
  readonly micros: number[];
}

async function load(checkout: string): Promise<Version> {
  const at = <T>(path: string): Promise<T> => import(pathToFileURL(resolve(checkout, 'collector/src', path)).href);
  const { createFieldTable } = await at<typeof Fields>('model/fields.ts');
  const { createDetector } = await at<typeof Engine>('detect/engine.ts');
  const { withCasework } = await at<typeof Casework>('detect/casework.ts');
  const { TracePipeline } = await at<typeof Pipeline>('pipeline.ts');
  const { createJoiner } = await at<typeof LogEvents>('log-events.ts');
  const { createToolCalls } = await at<typeof ToolCalls>('tool-calls.ts');
  const { UsageWrappers } = await at<typeof Usage>('detect/usage-wrappers.ts');
  const { createRedactor } = await at<typeof Redactor>('redact/row-redactor.ts');
  const { watchedAttributes } = await at<typeof Derivations>('normalise/derivations.ts');
  const { loadRules } = await at<typeof Load>('detect/load.ts');
  const { readRuleFiles, shippedRulesPath } = await at<typeof LoadRules>('cli/load-rules.ts');
  const fields = createFieldTable();
  const shipped = values.rules === 'shipped';
  const detector = createDetector({
    ...{ fields, journal: true, allowedLatenessNanos: latenessNanos, watchedFields: watchedAttributes },
    ...loadRules(shipped ? readRuleFiles([shippedRulesPath()]).rules : rulesTimes(Number(values.rules))),
  });
  const [joiner, calls] = [createJoiner(fields, latenessNanos), createToolCalls(fields, latenessNanos)];
  const parts = { logs: joiner, calls, usage: new UsageWrappers(fields) };
  const hash = createHash('sha256');
  const redactor = () => createRedactor({ profile: 'secrets', key: Buffer.alloc(32, 1), fields });
  const pipeline = new TracePipeline({
    ...{ fields, joiner, calls, usage: parts.usage, retentionMs: 30 * 86_400_000, now: () => now },
    detector: withCasework(detector, { fields, allowedLatenessNanos: latenessNanos, journal: true, parts }),
    redactors: { otel_traces: redactor(), findings: redactor(), cases: redactor() },
    log: {
      committed: () => undefined,
      refusal: () => undefined,
      append: async ({ rows, journal }) => {
        taken.push(...rows.map(({ bytes }) => bytes), journal);
        return { status: 'ok', segment: 1 };
      },
    },
    observer: {
      detectFailed: (error) => {
        throw error;
      },
    },
  });
  let taken: Uint8Array[] = [];
  return {
    micros: [],
    consume: async (bytes) => {
      const outcome = await pipeline.consume('protobuf', bytes);
      if (outcome.status !== 'ok') throw new Error(outcome.message);
    },
    settle: () => pipeline.settle(),
    digest: () => {
      for (const bytes of taken) hash.update(bytes);
      taken = [];
      return hash.copy().digest('hex');
    },
  };
}

/** The clock of both. */
let now = Date.now();

/** Processor time of this thread, as other threads do what is not to be told apart. */
function threadMicros(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}

async function run(versions: readonly Version[], file: string): Promise<boolean> {
  const input = openSync(file, 'r');
  const length = statSync(file).size / (requests + warmUp);
  if (!Number.isInteger(length)) throw new Error('requests differ in length');
  let isEqual = true;
  for (let request = 0; request < requests + warmUp; request++) {
    const body = Buffer.alloc(length);
    readSync(input, body);
    now += 400;
    for (let turn = 0; turn < versions.length; turn++) {
      // Each is as often the first one, for which nothing is in the caches of the processor.
      const version = versions[(request + turn) % versions.length]!;
      const bytes = Buffer.from(body.subarray(4, 4 + body.readUInt32LE()));
      const before = threadMicros();
      await version.consume(bytes);
      if (request % 8 === 7) await version.settle();
      if (request >= warmUp) version.micros.push((threadMicros() - before) / spans);
    }
    isEqual &&= versions.every((each) => each.digest() === versions[0]!.digest());
    await new Promise((done) => setImmediate(done));
  }
  closeSync(input);
  return isEqual;
}

/** Requests of one length each, with how much of it they take before them. */
function writeBodies(file: string): void {
  const output = openSync(file, 'w');
  for (let request = 0; request < requests + warmUp; request++) {
    const body = makeBodies(size, 1, spans)[0]!;
    const padded = Buffer.alloc(4 + Math.ceil((spans * (size + 600)) / 4096) * 4096 + 65_536);
    padded.writeUInt32LE(body.length);
    padded.set(body, 4);
    writeSync(output, padded);
  }
  closeSync(output);
}

function quartile(numbers: readonly number[], part: number): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length * part)]!;
}

async function main(other: string): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'spanwarden-turns-'));
  try {
    const file = join(folder, 'bodies');
    execFileSync(process.execPath, [import.meta.filename, '--bodies', file, ...process.argv.slice(2)]);
    const here = await load(join(import.meta.dirname, '..'));
    const there = await load(other);
    const isEqual = await run([here, there], file);
    const ratios = here.micros.map((micros, i) => micros / there.micros[i]!);
    const [low, middle, high] = [0.25, 0.5, 0.75].map((part) => quartile(ratios, part)) as [number, number, number];
    const micros = { here: quartile(here.micros, 0.5), other: quartile(there.micros, 0.5) };
    if (values.json) {
      process.stdout.write(`${JSON.stringify({ size, rules: values.rules, micros, low, middle, high, isEqual })}\n`);
      return;
    }
    const of = (number: number, digits: number) => number.toFixed(digits);
    process.stdout.write(
      `${size} bytes, rules: ${values.rules}; ${requests} requests with ${spans} spans\n` +
        `this one ${of(micros.here, 1)} µs of the main thread for a span, the other ${of(micros.other, 1)} (medians)\n` +
        `this one takes ${of(middle, 2)} of what the other takes (quartiles ${of(low, 2)} and ${of(high, 2)})\n` +
        `rows and journals: ${isEqual ? 'the same' : 'NOT the same'}\n`,
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (values.bodies !== undefined) writeBodies(values.bodies);
else if (values.other === undefined) {
  process.stderr.write(
    'Name another checkout with its packages installed: node bench/turns.ts --other ../before [--size 700|3000|30000] [--rules shipped|<count>] [--requests 40] [--json]\n',
  );
  process.exitCode = 2;
} else await main(values.other);

// `node bench/sessions.ts <folder>`: the same agent runs as several instrumentations sent them, `<folder>/<emitter>/<run>.otlp.json` with
// `<run>.logs.otlp.json` beside it where content is in logs, through the whole pipeline; prints into how many sessions each emitter's
// runs came, by what, and which sessions hold calls of more than one run. Ends with 1 unless every run is one session of its own.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { createDetector } from '../collector/src/detect/engine.ts';
import { LogJoiner } from '../collector/src/detect/joining/log-joiner.ts';
import { loadRules } from '../collector/src/detect/load.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import type { Finding } from '../collector/src/model/finding.ts';
import { ok } from '../collector/src/model/outcome.ts';
import { sessionOf } from '../collector/src/model/session.ts';
import { TracePipeline } from '../collector/src/pipeline.ts';
import { createToolCalls } from '../collector/src/tool-calls.ts';

const { positionals } = parseArgs({ allowPositionals: true });
const [folder] = positionals;
if (folder === undefined) throw new Error('name a folder with <emitter>/<run>.otlp.json');

/** Every call of a model or a tool with content on it, so that findings tell its session. */
const rules = `
title: A call
logsource: {product: ai_agent}
detection:
  said: {spanwarden.coverage.missing|exists: false}
  call: {gen_ai.operation.name: [chat, generate_content, text_completion, execute_tool, agent_event]}
  condition: said and call
`;
const second = 1_000_000_000n;

let isAsItShouldBe = true;
const emitters = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
for (const { name } of emitters) {
  const { runs, calls, sources, sessions, conversations } = await sessionsOf(join(folder, name));
  const split = runs.filter(({ ids }) => ids.size !== 1).map(({ run, ids }) => `${run}: ${ids.size} sessions`);
  // An emitter that says one conversation for all runs is believed.
  const stitched = [...sessions].filter(([id]) => !conversations.has(id));
  const shared = stitched.filter(([, of]) => of.size > 1).map(([id, of]) => `${id}: ${[...of].join(', ')}`);
  if (split.length + shared.length > 0) isAsItShouldBe = false;
  const by = [...sources].map(([source, count]) => `${count} by ${source}`).join(', ');
  process.stdout.write(`${name}: ${runs.length} runs, ${calls} calls, ${sessions.size} sessions (${by})\n`);
  for (const line of [...split, ...shared]) process.stdout.write(`  ${line}\n`);
}
process.exitCode = isAsItShouldBe ? 0 : 1;

interface Told {
  readonly runs: readonly { readonly run: string; readonly ids: ReadonlySet<string> }[];
  readonly calls: number;
  readonly sources: ReadonlyMap<string, number>;
  readonly sessions: ReadonlyMap<string, ReadonlySet<string>>;
  readonly conversations: ReadonlySet<string>;
}

/** All runs of one emitter through one pipeline, one after the other. */
async function sessionsOf(path: string): Promise<Told> {
  const fields = createFieldTable();
  const set = loadRules([{ path: 'bench.yml', text: rules }]);
  const found: Finding[] = [];
  const pipeline = new TracePipeline({
    fields,
    detector: createDetector({ ...set, fields, sessionWaitNanos: 30n * second }),
    calls: createToolCalls(fields, 30n * second),
    joiner: new LogJoiner({ fields, settleNanos: 10n * second, openNanos: 60n * second }),
    log: { committed: () => undefined, refusal: () => undefined, append: async () => ok },
    retentionMs: 3_650 * 86_400_000,
    now: Date.now,
    observer: {
      batch: (_events, findings) => found.push(...findings),
      settled: (findings) => found.push(...findings),
    },
  });
  const names = readdirSync(path).filter((name) => name.endsWith('.otlp.json') && !name.endsWith('.logs.otlp.json'));
  const runOf = new Map<string, string>();
  for (const name of names.sort()) {
    const run = name.replace('.otlp.json', '');
    const traces = withOwnIds(readFileSync(join(path, name)), run);
    for (const [, id] of traces.toString().matchAll(/"traceId": ?"([0-9a-f]{32})"/gi))
      runOf.set(id!.toLowerCase(), run);
    await pipeline.consume('json', traces, 'traces');
    const logs = readOptional(join(path, `${run}.logs.otlp.json`));
    if (logs) await pipeline.consume('json', withOwnIds(logs, run), 'logs');
  }
  await pipeline.flush();
  // A finding given early may come again.
  const calls = new Map(found.map((finding) => [finding.id, finding]));
  const sessions = new Map<string, Set<string>>();
  const runs = new Map([...new Set(runOf.values())].map((run) => [run, new Set<string>()]));
  const sources = new Map<string, number>();
  const conversations = new Set<string>();
  for (const finding of calls.values()) {
    const { id, source } = sessionOf(finding);
    const run = runOf.get(finding.traceId) ?? 'unknown';
    runs.get(run)?.add(id);
    sessions.set(id, (sessions.get(id) ?? new Set()).add(run));
    if (source === 'conversation') conversations.add(id);
    sources.set(source, (sources.get(source) ?? 0) + 1);
  }
  return { runs: [...runs].map(([run, ids]) => ({ run, ids })), calls: calls.size, sources, sessions, conversations };
}

/** The server that replayed the runs numbered its responses anew in each run, which no provider does. */
function withOwnIds(request: Buffer, run: string): Buffer {
  return Buffer.from(request.toString().replaceAll('chatcmpl-replay', `chatcmpl-${run}-`));
}

function readOptional(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch {
    return undefined;
  }
}

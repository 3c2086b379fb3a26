// `node bench/dialects.ts <folder> [--json]`: the same agent runs as several instrumentations sent them,
// `<folder>/<emitter>/<run>.otlp.json`, with the log records of `<run>.logs.otlp.json` where there are some, through decode, normalise and the
// joining; prints what each emitter's spans say otherwise than those of most emitters do, and how many runs are alike. Ends with 1 when they differ. See docs/dialects.md.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { otlpJsonToProtobuf } from '../collector/src/decode/json.ts';
import { TraceDecoder } from '../collector/src/decode/trace-decoder.ts';
import { createFieldTable } from '../collector/src/model/fields.ts';
import { Category, type SpanEvents } from '../collector/src/model/span-events.ts';
import { isList, type Value, valueText } from '../collector/src/model/value.ts';
import { NormalisedEvents } from '../collector/src/normalise/span-events.ts';
import { joinedSpans } from '../collector/src/testing/joined-spans.ts';

const { positionals, values } = parseArgs({ allowPositionals: true, options: { json: { type: 'boolean' } } });
const [folder] = positionals;
if (folder === undefined) throw new Error('name a folder with <emitter>/<run>.otlp.json');

const fields = createFieldTable();
const decoder = new TraceDecoder(fields);
const events = new NormalisedEvents(fields);

/** What the spans of one run say, as sorted texts by what they are. */
type RunView = ReadonlyMap<string, readonly string[]>;

/** Facts of a run that do not depend on how it was cut into spans. */
const facts = {
  'user texts': 'spanwarden.text.user',
  'system texts': 'spanwarden.text.system',
  'tool results': 'spanwarden.text.tool_result',
  'output texts': 'spanwarden.text.output',
  'proposed tools': 'spanwarden.proposed.tool_names',
  'proposed arguments': 'message.assistant.tool_call.arguments',
  'tools of results': 'message.tool.name',
  'finish reasons': 'gen_ai.response.finish_reasons',
  secrets: 'spanwarden.content.secrets',
  'personal data': 'spanwarden.content.pii',
  'hidden characters': 'spanwarden.content.hidden_unicode',
  'output addresses': 'spanwarden.output.urls',
  'untrusted arguments': 'spanwarden.flow.untrusted_arguments',
  'tool definitions': 'spanwarden.tool.definition_hashes',
  models: 'gen_ai.request.model',
  providers: 'gen_ai.provider.name',
} as const;

/** Facts of tool spans, which some emitters do not send. */
const toolFacts = {
  'tool names': 'gen_ai.tool.name',
  'tool arguments': 'spanwarden.text.arguments',
  hosts: 'spanwarden.effect.hosts',
  'effect kinds': 'spanwarden.effect.kinds',
  urls: 'spanwarden.effect.urls',
  emails: 'spanwarden.effect.emails',
  paths: 'spanwarden.effect.paths',
  amounts: 'spanwarden.effect.amounts',
} as const;

const emitters = readdirSync(folder, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);
const runs = [
  ...new Set(emitters.flatMap((emitter) => readdirSync(join(folder, emitter)).filter((name) => isRun(name)))),
].sort();
const differences = runs.flatMap((run) => compare(run));
process.stdout.write(values.json ? `${JSON.stringify(differences)}\n` : printed());
process.exitCode = differences.length === 0 ? 0 : 1;

function isRun(name: string): boolean {
  return name.endsWith('.otlp.json') && !name.endsWith('.logs.otlp.json');
}

interface Difference {
  readonly run: string;
  readonly emitter: string;
  readonly what: string;
  readonly missing: readonly string[];
  readonly extra: readonly string[];
}

function compare(run: string): Difference[] {
  const views = new Map(emitters.map((emitter) => [emitter, viewOf(join(folder!, emitter, run))]));
  const kinds = new Set([...views.values()].flatMap((view) => [...view.keys()]));
  return [...kinds].flatMap((what) => {
    const told = [...views].flatMap(([emitter, view]) => {
      const items = view.get(what);
      return items === undefined ? [] : [{ emitter, items }];
    });
    const usual = mostFrequent(told.map(({ items }) => items));
    return told.flatMap(({ emitter, items }) => {
      const missing = usual.filter((item) => !items.includes(item));
      const extra = items.filter((item) => !usual.includes(item));
      return missing.length + extra.length === 0 ? [] : [{ run, emitter, what, missing, extra }];
    });
  });
}

function mostFrequent(lists: readonly (readonly string[])[]): readonly string[] {
  const counted = new Map<string, { count: number; list: readonly string[] }>();
  for (const list of lists) {
    const key = JSON.stringify(list);
    counted.set(key, { count: (counted.get(key)?.count ?? 0) + 1, list });
  }
  return [...counted.values()].sort((a, b) => b.count - a.count)[0]?.list ?? [];
}

function viewOf(path: string): RunView {
  const logs = path.replace(/\.otlp\.json$/, '.logs.otlp.json');
  const spans = readFileSync(path);
  const request = otlpJsonToProtobuf(existsSync(logs) ? joinedSpans(spans, readFileSync(logs)) : spans);
  if (request.status !== 'ok') throw new Error(`${path}: ${request.message}`);
  const decoded = decoder.decode(request.bytes);
  if (decoded.status !== 'ok') throw new Error(`${path}: ${decoded.message}`);
  events.bind(decoded.batch);
  const sets = new Map<string, Set<string>>();
  const add = (what: string, texts: readonly string[]) => {
    const set = sets.get(what) ?? new Set();
    sets.set(what, set);
    for (const text of texts) set.add(text);
  };
  for (let span = 0; span < decoded.batch.spanCount; span++) {
    const categories = events.categories(span);
    if (categories === 0) continue;
    for (const [what, name] of Object.entries(facts)) add(what, textsOf(events, span, name));
    add('content captured', textsOf(events, span, 'spanwarden.coverage.missing'));
    if ((categories & Category.tool) === 0) continue;
    for (const [what, name] of Object.entries(toolFacts)) add(what, textsOf(events, span, name));
  }
  return new Map([...sets].map(([what, set]) => [what, [...set].sort()]));
}

function textsOf(of: SpanEvents, span: number, name: string): string[] {
  const value: Value | undefined = of.value(span, fields.intern(name));
  if (value === undefined) return [];
  return (isList(value) ? value : [value]).map(valueText);
}

function printed(): string {
  const shown = (texts: readonly string[]) => texts.slice(0, 3).map((text) => JSON.stringify(text.slice(0, 120)));
  const lines = differences.map(({ run, emitter, what, missing, extra }) => {
    const parts = [
      ...(missing.length > 0 ? [`lacks ${missing.length}: ${shown(missing).join(', ')}`] : []),
      ...(extra.length > 0 ? [`has ${extra.length} more: ${shown(extra).join(', ')}`] : []),
    ];
    return `${run} ${emitter} ${what}: ${parts.join('; ')}`;
  });
  return [...lines, `${runs.length} runs of ${emitters.length} emitters, ${lines.length} differences`, ''].join('\n');
}

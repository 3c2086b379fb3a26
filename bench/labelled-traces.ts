import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { otlpProtobuf, type TestSpan } from '../collector/src/testing/otlp.ts';

/** A recorded run of an agent with the judgement of those who published it. */
export interface LabelledTrace {
  readonly id: string;
  /** benign, user_requested, attack_attempt, attack_success, …; see bench/README.md. */
  readonly label: string;
  readonly system: string | null;
  readonly messages: readonly LabelledMessage[];
  readonly tools: readonly unknown[];
}

interface LabelledMessage {
  readonly role: string;
  readonly content: string | null;
  readonly name?: string;
  readonly tool_call_id?: string;
  readonly tool_calls?: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
}

export interface DataSet {
  readonly name: string;
  readonly traces: readonly LabelledTrace[];
}

/** The sets of a folder, one file `<set>.jsonl` or `<set>.jsonl.gz` each, one trace a line. */
export function readDataSets(folder: string, wanted: readonly string[]): DataSet[] {
  const files = readdirSync(folder).filter((file) => /\.jsonl(?:\.gz)?$/.test(file));
  return files.sort().flatMap((file) => {
    const name = basename(file).replace(/(?:\.dev)?\.jsonl(?:\.gz)?$/, '');
    if (wanted.length > 0 && !wanted.includes(name)) return [];
    const bytes = readFileSync(join(folder, file));
    const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
    const lines = text.split('\n').filter((line) => line.trim() !== '');
    return [{ name, traces: lines.map((line) => JSON.parse(line) as LabelledTrace) }];
  });
}

export function traceIdOf(trace: LabelledTrace): string {
  return createHash('sha256').update(trace.id).digest('hex').slice(0, 32);
}

/**
 * The trace as an instrumented agent sends it: a model call for each answer, with the whole conversation before it, and a
 * span for each tool call that has a result. A second passes from span to span, from `startNanos` on.
 */
export function bodyOf(trace: LabelledTrace, startNanos: bigint): Buffer {
  const { messages } = trace;
  const spans: TestSpan[] = [];
  const traceId = traceIdOf(trace);
  const add = (name: string, attributes: Record<string, string>): void => {
    const endNanos = startNanos + BigInt(spans.length + 1) * 1_000_000_000n;
    const more = { 'gen_ai.conversation.id': trace.id, 'gen_ai.agent.name': 'labelled' };
    const spanId = (spans.length + 1).toString(16).padStart(16, '0');
    spans.push({
      traceId,
      spanId,
      name,
      startNanos: endNanos - 500_000_000n,
      endNanos,
      attributes: { ...attributes, ...more },
    });
  };
  for (const [index, message] of messages.entries()) {
    const isLast = index === messages.length - 1;
    if (message.role !== 'assistant' && !isLast) continue;
    const answered = message.role === 'assistant';
    add('chat', chatAttributes(trace, answered ? messages.slice(0, index) : messages, answered ? [message] : []));
    for (const call of message.tool_calls ?? []) {
      const result = messages.find(({ tool_call_id }, at) => at > index && tool_call_id === call.id);
      add(`execute_tool ${call.name}`, {
        'gen_ai.operation.name': 'execute_tool',
        'gen_ai.tool.name': call.name,
        'gen_ai.tool.call.id': call.id,
        'gen_ai.tool.call.arguments': JSON.stringify(call.arguments),
        ...(result && { 'gen_ai.tool.call.result': result.content ?? '' }),
      });
    }
  }
  return otlpProtobuf(spans);
}

function chatAttributes(
  { system, tools }: LabelledTrace,
  input: readonly LabelledMessage[],
  output: readonly LabelledMessage[],
): Record<string, string> {
  return {
    'gen_ai.operation.name': 'chat',
    'gen_ai.request.model': 'recorded',
    'gen_ai.input.messages': JSON.stringify(input.map(otelMessage)),
    ...(output.length > 0 && { 'gen_ai.output.messages': JSON.stringify(output.map(otelMessage)) }),
    ...(system !== null && { 'gen_ai.system_instructions': JSON.stringify([{ type: 'text', content: system }]) }),
    ...(tools.length > 0 && { 'gen_ai.tool.definitions': JSON.stringify(tools) }),
  };
}

function otelMessage({ role, content, tool_calls = [], tool_call_id }: LabelledMessage): object {
  const text = content === null || content === '' ? [] : [{ type: 'text', content }];
  const calls = tool_calls.map((call) => ({
    type: 'tool_call',
    id: call.id,
    name: call.name,
    arguments: call.arguments,
  }));
  if (role !== 'tool') return { role, parts: [...text, ...calls] };
  return { role, parts: [{ type: 'tool_call_response', id: tool_call_id ?? '', response: content ?? '' }] };
}

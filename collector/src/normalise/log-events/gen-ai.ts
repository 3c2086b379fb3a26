import { type Value, valueJson } from '../../model/value.ts';
import { parsedValue } from '../json-value.ts';
import { asMap, type LogRecord } from './log-record.ts';
import { present, type Said } from './vocabulary.ts';

const messageEvent = /^gen_ai\.(system|user|assistant|tool)\.message$/;
const contentNames = ['gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.system_instructions'] as const;

/**
 * OTel's GenAI events: one record per message (1.28 to 1.36), and the details of a call (since 1.37). They are about the span whose
 * context they carry.
 * https://github.com/open-telemetry/semantic-conventions-genai/blob/main/docs/gen-ai/gen-ai-events.md
 */
export function genAiEvents(record: LogRecord): Said | undefined {
  const { name } = record;
  if (!name.startsWith('gen_ai.')) return undefined;
  if (name === 'gen_ai.client.inference.operation.details') return details(record);
  const role = messageEvent.exec(name)?.[1];
  if (role === undefined && name !== 'gen_ai.choice') return undefined;
  const message = messageIn(record, role ?? 'assistant');
  return {
    ...common(
      record,
      message === undefined
        ? {}
        : { [role === undefined ? 'gen_ai.output.messages' : 'gen_ai.input.messages']: message },
    ),
    final: role === undefined,
  };
}

function details(record: LogRecord): Said {
  const content = contentNames.map((name): [string, Value | undefined] => {
    const value = record.said(name);
    return [name, value === undefined || typeof value === 'string' ? value : valueJson(value)];
  });
  return { ...common(record, Object.fromEntries(content)), final: true };
}

function common(record: LogRecord, content: Readonly<Record<string, Value | undefined>> = {}): Said {
  const response = record.text('gen_ai.response.id');
  const about: Said['about'] =
    record.traceId !== '' && record.spanId !== '' ? 'span' : response === undefined ? undefined : { response };
  return {
    dialect: 'otel_events',
    event: record.name,
    attributes: present({
      'gen_ai.operation.name': record.text('gen_ai.operation.name') ?? 'chat',
      'gen_ai.provider.name': record.text('gen_ai.provider.name') ?? record.text('gen_ai.system'),
      ...content,
    }),
    ...(about && { about }),
    failed: record.text('error.type') !== undefined,
  };
}

/** The message stands in the body, in an attribute, or in the attributes themselves. */
function messageIn(record: LogRecord, role: string): string | undefined {
  const body = asMap(parsedValue(record.body)) ?? asMap(parsedValue(record.said('gen_ai.event.content')));
  const own = { content: record.said('content'), tool_calls: record.said('tool_calls'), id: record.said('id') };
  const message = body ?? ((own.content ?? own.tool_calls) ? Object.fromEntries(present(own)) : undefined);
  if (message === undefined || Object.keys(message).length === 0) return undefined;
  return valueJson([Object.hasOwn(message, 'role') ? message : { ...message, role }]);
}

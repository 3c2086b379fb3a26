import { randomBytes, randomInt } from 'node:crypto';
import { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';

/** Bytes of one encoded span, about: attributes only, with a short conversation, with a long tool result. */
export const spanSizes = [700, 3_000, 30_000] as const;

export type SpanSize = (typeof spanSizes)[number];

/**
 * Export requests as a real OpenTelemetry SDK encodes them: agents' chat and tool spans in turn, with ids of their own.
 * Texts are made of random words, so that they compress about like text and no scan gets an easy way out.
 */
export function makeBodies(
  size: number,
  bodies: number,
  spansPerBody: number,
  serializer: Pick<typeof ProtobufTraceSerializer, 'serializeRequest'> = ProtobufTraceSerializer,
): Buffer[] {
  const exporter = new InMemorySpanExporter();
  const provider = new TracerProvider({
    resource: resourceFromAttributes({
      'service.name': 'support-agent',
      'service.version': '1.4.2',
      'host.name': 'worker-7',
      'process.pid': 4711,
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.name': 'opentelemetry',
      'deployment.environment.name': 'production',
    }),
    spanProcessors: [new SimpleSpanProcessor({ exporter })],
  });
  const tracer = provider.getTracer('bench', '1.0');
  return Array.from({ length: bodies }, () => {
    for (let i = 0; i < spansPerBody; i++) {
      const tool = i % 3 === 2;
      const name = tool ? 'execute_tool orders.read' : 'chat gpt-5';
      tracer.startSpan(name, { kind: 2, attributes: tool ? toolAttributes(size) : chatAttributes(size) }).end();
    }
    const body = Buffer.from(serializer.serializeRequest(exporter.getFinishedSpans())!);
    exporter.reset();
    return body;
  });
}

function chatAttributes(size: number): Record<string, string | number | boolean | string[]> {
  const attributes = {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-5',
    'gen_ai.response.model': 'gpt-5-2026-08-01',
    'gen_ai.response.id': `chatcmpl-${id()}`,
    'gen_ai.response.finish_reasons': ['stop'],
    'gen_ai.usage.input_tokens': randomInt(5000),
    'gen_ai.usage.output_tokens': randomInt(500),
    'gen_ai.request.temperature': 0.7,
    'gen_ai.request.stream': true,
    'gen_ai.conversation.id': id(),
    'gen_ai.agent.name': 'support',
    'user.id': `u-${randomInt(10_000)}`,
    'server.address': 'api.model.example',
    'server.port': 443,
  };
  if (size === 700) return attributes;
  const text = words(size - 1_100);
  const half = text.length >> 1;
  return {
    ...attributes,
    'gen_ai.input.messages': JSON.stringify([
      { role: 'user', parts: [{ type: 'text', content: 'Please look after my order.' }] },
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: 'c1', name: 'orders.read', arguments: { order_id: 'A-1' } }],
      },
      { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: text.slice(0, half) }] },
    ]),
    'gen_ai.output.messages': JSON.stringify([
      { role: 'assistant', parts: [{ type: 'text', content: text.slice(half) }] },
    ]),
  };
}

function toolAttributes(size: number): Record<string, string | number> {
  return {
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'orders.read',
    'gen_ai.tool.type': 'function',
    'gen_ai.tool.call.id': `call_${id()}`,
    'gen_ai.tool.call.arguments': JSON.stringify({ order_id: `A-${randomInt(100_000)}`, fields: ['status', 'items'] }),
    'gen_ai.tool.call.result': words(Math.max(100, size - 700)),
    'gen_ai.conversation.id': id(),
    'gen_ai.agent.name': 'support',
    'user.id': `u-${randomInt(10_000)}`,
    'mcp.method.name': 'tools/call',
    'mcp.session.id': id(),
    'network.transport': 'pipe',
  };
}

function id(): string {
  return randomBytes(12).toString('hex');
}

export const vocabulary: readonly string[] = Array.from({ length: 4_000 }, (_, i) => {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  let word = '';
  for (let rest = i + 3; rest > 0; rest = Math.floor(rest / 7)) word += letters[(rest * 13 + word.length * 5) % 26];
  return word;
});

export function words(length: number): string {
  let text = '';
  while (text.length < length) text += `${vocabulary[randomInt(vocabulary.length)]} `;
  return text.slice(0, length);
}

import type { CategoryName } from '../model/span-events.ts';

/** A value as YAML of a rule or a test holds it. */
export type Plain = string | number | boolean | readonly Plain[] | { readonly [key: string]: Plain };

/** A span in the words of rule tests, with a value in one place of it; without one, that place is empty. */
export type ExampleSpan = (value: Plain | undefined) => Readonly<Record<string, Plain>>;

/** Spans of a category that might give a field a value, the likeliest first. */
export function exampleSpans(field: string, category: CategoryName | 'any'): ExampleSpan[] {
  const others = otherSpans[category as keyof typeof otherSpans];
  if (others)
    return [
      (value) => ({
        span: field === 'span.name' ? String(value ?? 'other') : 'example',
        attributes: { ...others, ...attribute(field, value) },
      }),
    ];
  const tool = category === 'llm' ? [] : toolSpans(field);
  const chat = category === 'tool' ? [] : chatSpans(field);
  return [...tool, ...chat];
}

/** What makes a span one of a category. */
const otherSpans: Readonly<Partial<Record<CategoryName, Readonly<Record<string, Plain>>>>> = {
  agent: { 'gen_ai.operation.name': 'invoke_agent' },
  mcp: { 'mcp.method.name': 'tools/call' },
  retrieval: { 'gen_ai.operation.name': 'retrieval' },
  http: { 'http.request.method': 'GET' },
  db: { 'db.system.name': 'postgresql' },
  file: { 'file.path': '/tmp/example' },
};

function toolSpans(field: string): ExampleSpan[] {
  const argument = /^spanwarden\.argument\.(.+)$/.exec(field)?.[1];
  const withArguments =
    (key: string): ExampleSpan =>
    (value) => ({
      tool: 'example_tool',
      arguments: value === undefined ? {} : { [key]: value },
    });
  if (field === 'gen_ai.tool.name') return [(value) => ({ tool: String(value ?? 'other_tool') })];
  if (field === 'span.duration_ms') return [(value) => ({ tool: 'example_tool', duration_ms: value ?? 1 })];
  if (field === 'span.status_code')
    return [
      (value) => ({
        tool: 'example_tool',
        status: /^(?:ok|error)$/i.test(String(value)) ? String(value).toLowerCase() : 'unset',
      }),
    ];
  if (argument !== undefined) return [(value) => ({ tool: 'example_tool', arguments: nested(argument, value) })];
  if (field.startsWith('resource.') || field === 'service.name')
    return [(value) => ({ tool: 'example_tool', resource: attribute(field.replace(/^resource\./, ''), value) })];
  return [
    ...(field.startsWith('spanwarden.')
      ? []
      : [(value: Plain | undefined) => ({ tool: 'example_tool', attributes: attribute(field, value) })]),
    ...['text', 'command', 'path', 'url', 'to', 'amount'].map(withArguments),
    (value) => ({ tool: 'example_tool', ...(value !== undefined && { result: value }) }),
    // What a call does is told from the name of its tool.
    (value) => ({ tool: value === undefined ? 'example_tool' : `${value}_example` }),
  ];
}

function chatSpans(field: string): ExampleSpan[] {
  const text = (value: Plain | undefined): string => String(value ?? 'Good morning.');
  const chat = (value: Plain): Record<string, Plain> => ({ chat: value });
  return [
    ...(field.startsWith('spanwarden.')
      ? []
      : [
          (value: Plain | undefined) => ({
            chat: { input: [{ user: 'Hello.' }] },
            attributes: attribute(field, value),
          }),
        ]),
    (value) => chat({ input: [{ user: text(value) }] }),
    (value) => chat({ input: [{ user: 'Hello.' }, { call: { lookup: {} } }, { result: text(value) }] }),
    (value) => chat({ input: [{ user: 'Hello.' }], output: [{ assistant: text(value) }] }),
    (value) => chat({ system: text(value), input: [{ user: 'Hello.' }] }),
    (value) => chat({ input: [{ user: 'Hello.' }], tools: [{ name: 'lookup', description: text(value) }] }),
    (value) => chat({ input: [{ user: 'Hello.' }], output: [{ call: { [text(value)]: {} } }] }),
  ];
}

function attribute(name: string, value: Plain | undefined): Record<string, Plain> {
  return value === undefined || name === 'span.name' ? {} : { [name]: value };
}

function nested(path: string, value: Plain | undefined): Plain {
  if (value === undefined) return {};
  return path.split('.').reduceRight<Plain>((inner, key) => ({ [key]: inner }), value);
}

import fc from 'fast-check';
import type { Plain, TestSpan } from '../../testing/otlp.ts';

/** Values that are alike for one language and not for the other. */
const words = [
  '',
  'a',
  'A',
  'ſ',
  'K',
  'k',
  'ß',
  'Straße',
  'É',
  'é',
  'ς',
  'Σ',
  'x*y',
  'a?b',
  "it's",
  'back\\slash',
  'line\nbreak',
  '%',
  '42',
  '42.0',
  '042',
  '9007199254740993',
  '1e3',
  'true',
  'TRUE',
  'null',
  '10.1.2.3',
  '::ffff:10.1.2.3',
  '010.1.2.3',
  '2001:db8::1',
  '漢字',
  '😀',
  '[1]',
  '{"a":1}',
  '"',
  "'); DROP TABLE x; --",
];
const scalar: fc.Arbitrary<Plain> = fc.oneof(
  fc.constantFrom(...words),
  fc.tuple(fc.constantFrom(...words), fc.constantFrom(...words)).map((two) => two.join('')),
  fc.constantFrom<Plain>(0, 42, -1, 42n, 9007199254740993n, 1.5, 1000, true, false, null),
);
export const value: fc.Arbitrary<Plain> = fc.oneof(
  { weight: 4, arbitrary: scalar },
  fc.array(scalar, { maxLength: 3 }),
);
const attributes = fc.record(
  { f: value, g: value, n: value, 'a.b': value, 'gen_ai.tool.name': value },
  { requiredKeys: [] },
);
export const spans: fc.Arbitrary<TestSpan[]> = fc.array(
  fc.record({
    name: fc.constantFrom('', 'chat', 'Execute'),
    kind: fc.integer({ min: 0, max: 5 }),
    attributes: attributes.map((own): Record<string, Plain> => ({ 'gen_ai.operation.name': 'execute_tool', ...own })),
    status: fc.record({ code: fc.integer({ min: 0, max: 2 }), message: fc.constantFrom('', 'no') }),
  }),
  { minLength: 20, maxLength: 20 },
);

/** One item: its key, and its value as JSON, which is YAML. */
const pattern = fc
  .tuple(fc.constantFrom('', '*', '?'), fc.constantFrom(...words), fc.constantFrom('', '*', '?'))
  .map((parts) => parts.join(''));
const field = fc.constantFrom(
  'f',
  'g',
  'n',
  'a.b',
  'gen_ai.tool.name',
  'span.name',
  'span.kind',
  'span.status_code',
  'service.name',
  'resource.r',
);
const item: fc.Arbitrary<[string, unknown]> = fc.oneof(
  fc.tuple(field, fc.oneof(pattern, fc.array(pattern, { minLength: 1, maxLength: 3 }))),
  fc.tuple(
    fc
      .tuple(
        field,
        fc.constantFrom(
          '|contains',
          '|startswith',
          '|endswith',
          '|contains|cased',
          '|cased',
          '|contains|all',
          '|neq',
          '|contains|neq',
          '|windash',
        ),
      )
      .map((two) => two.join('')),
    fc.oneof(pattern, fc.array(pattern, { minLength: 2, maxLength: 3 })),
  ),
  fc.tuple(field, fc.constantFrom<unknown>(42, -1, 1000, 1.5, true, false, null, 9007199254740992)),
  fc.tuple(
    field.map((name) => `${name}|neq`),
    fc.constantFrom<unknown>(42, true, null),
  ),
  fc.tuple(
    fc.tuple(field, fc.constantFrom('|lt', '|lte', '|gt', '|gte')).map((two) => two.join('')),
    fc.constantFrom<unknown>(42, 41.5, 9007199254740992),
  ),
  fc.tuple(
    field.map((name) => `${name}|exists`),
    fc.boolean(),
  ),
  fc.tuple(
    fc.tuple(field, fc.constantFrom('|re', '|re|i', '|re|s', '|re|m|i')).map((two) => two.join('')),
    fc.constantFrom('^a', 'a.b', '[kſ]', 'break$', '^break', "'", '\\d+', 'e\\nb', '(?:x|é)$'),
  ),
  fc.tuple(
    field.map((name) => `${name}|cidr`),
    fc.constantFrom('10.0.0.0/8', '2001:db8::/32', '0.0.0.0/0', '::ffff:0:0/96'),
  ),
  fc.tuple(
    fc
      .tuple(field, fc.constantFrom('|fieldref', '|fieldref|contains', '|fieldref|startswith', '|fieldref|neq'))
      .map((two) => two.join('')),
    field,
  ),
);
export const rule = fc.record({
  a: fc.array(item, { minLength: 1, maxLength: 2 }),
  b: fc.array(item, { minLength: 1, maxLength: 2 }),
  condition: fc.constantFrom('a', 'a and b', 'a or b', 'a and not b', 'not a', '1 of them', 'not (a and b)'),
});

export function ruleText(
  { a, b, condition }: { a: [string, unknown][]; b: [string, unknown][]; condition: string },
  index: number,
): string {
  const used = condition.includes('b') || condition.includes('them') ? { a, b } : { a };
  const detection = Object.fromEntries(Object.entries(used).map(([name, items]) => [name, Object.fromEntries(items)]));
  const document = {
    title: `Generated ${index} */ -- ' \\`,
    id: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
    logsource: { product: 'ai_agent', category: 'tool' },
    detection: { ...detection, condition },
  };
  return JSON.stringify(document);
}

/** The rule that generated counts count. */
export const baseRule = `title: Base
id: 00000000-0000-4000-8000-0000000000ff
name: base
logsource: {product: ai_agent, category: tool}
detection: {selection: {f|exists: true}, condition: selection}
`;
export const matches = fc.array(
  fc.record({
    second: fc.integer({ min: 0, max: 60 }),
    attributes: fc.record(
      {
        'gen_ai.operation.name': fc.constant('execute_tool'),
        f: fc.constant('x'),
        k: fc.constantFrom<Plain>('a', 'b', ['a', 'b'], null, 1),
        v: fc.constantFrom<Plain>('p', 'q', 'r', ['p', 'q'], 2),
      },
      { requiredKeys: ['gen_ai.operation.name', 'f'] },
    ),
  }),
  { minLength: 10, maxLength: 60 },
);
export const count = fc.record({
  type: fc.constantFrom('event_count', 'value_count'),
  keys: fc.constantFrom<string[]>([], ['k']),
  seconds: fc.constantFrom(1, 5, 20),
  condition: fc.constantFrom<object>(
    { gte: 2 },
    { gt: 2 },
    { gte: 5 },
    { lt: 3 },
    { eq: 2 },
    { gte: 2, lte: 3 },
    { neq: 2 },
  ),
});

export function countText(
  { type, keys, seconds, condition }: { type: string; keys: string[]; seconds: number; condition: object },
  index: number,
): string {
  const document = {
    title: `Count ${index}`,
    id: `00000000-0000-4000-9000-${String(index).padStart(12, '0')}`,
    correlation: {
      type,
      rules: ['base'],
      'group-by': keys,
      timespan: `${seconds}s`,
      generate: true,
      condition: { ...condition, ...(type === 'value_count' && { field: 'v' }) },
    },
  };
  return `---\n${JSON.stringify(document)}\n`;
}

import { isList, type Value } from '../model/value.ts';
import { isCorrelation } from './correlate/correlation.ts';
import { isAbove } from './parse/test-parents.ts';
import { Report } from './report.ts';
import { createCaseRunner, type RuleTestOptions, readTestCases, type TestSpan, testSpanId } from './rule-tests.ts';

/** Ways to write the same text so that a person or a model still reads it and a rule may not. */
export const evasions = {
  'upper case': (text: string) => text.toUpperCase(),
  'mixed case': (text: string) =>
    text.replace(/[a-z]/gi, (letter, at: number) => (at % 2 === 0 ? letter.toLowerCase() : letter.toUpperCase())),
  'zero width': (text: string) => text.replace(/\p{L}(?=\p{L})/gu, '$&\u200b'),
  'full width': (text: string) =>
    text.replace(/[A-Za-z0-9]/g, (char) => String.fromCharCode(char.charCodeAt(0) + 0xfee0)),
  'line wraps': (text: string) => text.replaceAll(' ', '\n  '),
  'look-alikes': (text: string) => text.replace(/[aceiopxyACEHIKMOPTX]/g, (letter) => lookAlikes[letter]!),
  percent: (text: string) => text.replace(/[a-z]/gi, (letter) => `%${letter.charCodeAt(0).toString(16)}`),
  // Words before it, as people write them, and to mark where it begins.
  base64: (text: string) => (text === '' ? text : `Decode this: ${Buffer.from(text).toString('base64')}`),
} as const satisfies Readonly<Record<string, (text: string) => string>>;

/** Cyrillic for Latin. */
const lookAlikes: Readonly<Record<string, string>> = Object.fromEntries(
  [...'aceiopxyACEHIKMOPTX'].map((latin, at) => [latin, [...'асеіорхуАСЕНІКМОРТХ'][at]!]),
);

export type EvasionName = keyof typeof evasions;

export interface EvasionResult {
  readonly ruleId: string;
  readonly ruleName: string;
  readonly ruleTitle: string;
  readonly case: string;
  readonly evasion: EvasionName;
  readonly status: 'found' | 'missed';
}

/**
 * Runs the matches of all test files once more for each evasion, with what users, models, tools and documents say written
 * in that way; names of tools, roles and models stay. A variant that changes nothing is left out. It informs: not every
 * variant of an attack still works, a command in full-width letters does not run.
 */
export function runEvasions(options: RuleTestOptions): EvasionResult[] {
  const run = createCaseRunner(options);
  const matches = readTestCases(options, new Report()).cases.filter(({ kind }) => kind === 'match');
  return matches.flatMap(({ rule, name, spans }) =>
    Object.keys(evasions).flatMap((key): EvasionResult[] => {
      const evasion = key as EvasionName;
      const changed = spans.map((span) => evaded(span, evasions[evasion]));
      if (changed.every((span, index) => span === spans[index])) return [];
      const found = run(rule, changed).map(({ spanId }) => spanId);
      const held = isCorrelation(rule)
        ? found.length > 0
        : spans.every((_, at) => found.includes(testSpanId(at)) || isAbove(spans, at));
      const { id, name: ruleName, title } = rule.meta;
      const status = held ? 'found' : 'missed';
      return [{ ruleId: id, ruleName, ruleTitle: title, case: name, evasion, status }];
    }),
  );
}

/** Attributes with what somebody wrote, and the keys in their JSON that name things instead. */
const written = [
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.tool.call.arguments',
  'gen_ai.tool.call.result',
  'gen_ai.retrieval.documents',
  'gen_ai.retrieval.query.text',
];
const namingKeys = new Set(['type', 'role', 'id', 'name']);

function evaded(span: TestSpan, change: (text: string) => string): TestSpan {
  const changes: Record<string, Value> = {};
  for (const name of written) {
    const value = span.attributes[name];
    if (typeof value !== 'string') continue;
    const changed = changedText(value, change);
    if (changed !== value) changes[name] = changed;
  }
  const none = Object.keys(changes).length === 0;
  return none ? span : { ...span, attributes: { ...span.attributes, ...changes } };
}

function changedText(text: string, change: (text: string) => string): string {
  const structure = structureOf(text);
  if (structure === undefined) return change(text);
  const changed = JSON.stringify(changedIn(structure, change));
  return changed === JSON.stringify(structure) ? text : changed;
}

function structureOf(text: string): Value | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    return JSON.parse(text) as Value;
  } catch {
    return undefined;
  }
}

function changedIn(value: Value, change: (text: string) => string): Value {
  if (typeof value === 'string') return change(value);
  if (isList(value)) return value.map((each) => changedIn(each, change));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([key, each]) => [key, namingKeys.has(key) ? each : changedIn(each, change)]));
}

import { Category } from '../model/span-events.ts';

/** What a span of a category says where its emitter captures content, as `spanwarden.coverage.missing` names it. */
const expected: readonly {
  readonly name: string;
  readonly attribute: string;
  readonly category: number;
  /** A call that failed has no answer. */
  readonly answer?: true;
}[] = [
  { name: 'input_messages', attribute: 'gen_ai.input.messages', category: Category.llm },
  { name: 'output_messages', attribute: 'gen_ai.output.messages', category: Category.llm, answer: true },
  { name: 'tool_name', attribute: 'gen_ai.tool.name', category: Category.tool },
  { name: 'tool_arguments', attribute: 'gen_ai.tool.call.arguments', category: Category.tool },
  { name: 'tool_result', attribute: 'gen_ai.tool.call.result', category: Category.tool, answer: true },
  { name: 'documents', attribute: 'gen_ai.retrieval.documents', category: Category.retrieval, answer: true },
];

/**
 * What rules cannot see of a span because it was not captured, or was redacted by its emitter.
 * @param has whether the span has the attribute, in whatever dialect, with something in it.
 */
export function missingContent(
  operation: string,
  categories: number,
  failed: boolean,
  has: (attribute: string) => boolean,
): string[] {
  const missing: string[] = [];
  for (const { name, attribute, category, answer } of expected) {
    if ((categories & category) === 0 || (failed && answer)) continue;
    // Embeddings and rankings have no documents of their own.
    if (category === Category.retrieval && operation !== 'retrieval') continue;
    if (!has(attribute)) missing.push(name);
  }
  return missing;
}

/** Attributes that hold content: a redaction marker in one of them is absence. */
export const contentAttributes: ReadonlySet<string> = new Set([
  ...expected.map(({ attribute }) => attribute),
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.retrieval.query.text',
]);

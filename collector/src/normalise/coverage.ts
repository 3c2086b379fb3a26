import { Category } from '../model/span-events.ts';

/** What a span of a category says where its emitter captures content, as `spanwarden.coverage.missing` names it. */
export interface ExpectedContent {
  readonly name: string;
  readonly attribute: string;
  readonly category: number;
  /** A call that failed has no answer. */
  readonly answer?: true;
  /** Only with this operation: embeddings and rankings have no documents of their own. */
  readonly operation?: string;
}

export const expectedContent: readonly ExpectedContent[] = [
  { name: 'input_messages', attribute: 'gen_ai.input.messages', category: Category.llm },
  { name: 'output_messages', attribute: 'gen_ai.output.messages', category: Category.llm, answer: true },
  { name: 'tool_name', attribute: 'gen_ai.tool.name', category: Category.tool },
  { name: 'tool_arguments', attribute: 'gen_ai.tool.call.arguments', category: Category.tool },
  { name: 'tool_result', attribute: 'gen_ai.tool.call.result', category: Category.tool, answer: true },
  {
    name: 'documents',
    attribute: 'gen_ai.retrieval.documents',
    category: Category.retrieval,
    answer: true,
    operation: 'retrieval',
  },
];

const contentCategories = expectedContent.reduce((all, { category }) => all | category, 0);

/** One list per set of names: spans of one emitter lack the same things. */
const lists: (readonly string[])[] = [];

/**
 * What rules cannot see of a span because it was not captured, or was redacted by its emitter.
 * @param lacks whether the span has nothing in the attribute at this place of `expectedContent`, in whatever dialect.
 */
export function missingContent(
  categories: number,
  failed: boolean,
  operation: () => string | undefined,
  lacks: (place: number) => boolean,
): readonly string[] {
  if ((categories & contentCategories) === 0) return none;
  let set = 0;
  for (let place = 0; place < expectedContent.length; place++) {
    const expected = expectedContent[place]!;
    if ((categories & expected.category) === 0 || (failed && expected.answer)) continue;
    if (expected.operation !== undefined && expected.operation !== operation()) continue;
    if (lacks(place)) set |= 1 << place;
  }
  const list = lists[set] ?? expectedContent.flatMap(({ name }, place) => ((set & (1 << place)) === 0 ? [] : [name]));
  lists[set] = list;
  return list;
}

const none: readonly string[] = [];

/** Attributes that hold content: a redaction marker in one of them is absence. */
export const contentAttributes: ReadonlySet<string> = new Set([
  ...expectedContent.map(({ attribute }) => attribute),
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  'gen_ai.retrieval.query.text',
]);

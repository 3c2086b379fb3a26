import { Category } from '../model/span-events.ts';

/** Logsource categories by `gen_ai.operation.name`: https://github.com/open-telemetry/semantic-conventions-genai */
const byOperation: Readonly<Record<string, number>> = Object.assign(Object.create(null), {
  chat: Category.llm,
  generate_content: Category.llm,
  text_completion: Category.llm,
  invoke_agent: Category.agent,
  create_agent: Category.agent,
  invoke_workflow: Category.agent,
  plan: Category.agent,
  // What coding agents tell beside model and tool calls: modes, servers, hooks, log-ins.
  agent_event: Category.agent,
  agent_step: Category.agent,
  // All turns of an agent in Mastra, and what is neither model call nor tool in LangSmith.
  model_generation: Category.agent,
  chain: Category.agent,
  execute_tool: Category.tool,
  retrieval: Category.retrieval,
  embeddings: Category.retrieval,
  rerank: Category.retrieval,
  search_memory: Category.retrieval,
});

/** Attributes whose presence alone puts a span into a category. */
export const categoryByPresence: readonly (readonly [attribute: string, category: number])[] = [
  ['mcp.method.name', Category.mcp],
  ['http.request.method', Category.http],
  ['db.system.name', Category.db],
  ['file.path', Category.file],
];

export function operationCategories(operation: string): number {
  return byOperation[operation] ?? 0;
}

/** By length: the operations, as the bytes of which they are made. */
const operationsByLength: { readonly bytes: Buffer; readonly category: number }[][] = [];
for (const [operation, category] of Object.entries(byOperation)) {
  operationsByLength[operation.length] ??= [];
  operationsByLength[operation.length]!.push({ bytes: Buffer.from(operation), category });
}

/** The same of the text in [start, start + length), which every span has and nobody else needs as a string. */
export function operationCategoriesAt(bytes: Uint8Array, start: number, length: number): number {
  for (const operation of operationsByLength[length] ?? []) {
    let index = 0;
    while (index < length && bytes[start + index] === operation.bytes[index]) index++;
    if (index === length) return operation.category;
  }
  return 0;
}

/** The operations whose spans belong to one of these categories. */
export function operationsOf(categories: number): string[] {
  return Object.keys(byOperation).filter((operation) => (byOperation[operation]! & categories) !== 0);
}

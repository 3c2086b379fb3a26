import type { Value } from '../../../model/value.ts';
import type { Dialect, SpanSource } from '../dialect.ts';

/** Names that the readings of a dialect ask for, found by letting them read spans that have every attribute. */
export interface AskedNames {
  readonly attributes: readonly string[];
  readonly prefixes: readonly string[];
  readonly events: readonly string[];
}

/** Words that conditions of dialects look for, and values that readings look into. */
const answers: readonly (Value | undefined)[] = [
  undefined,
  ...['tool', 'llm', 'agent', 'chain', 'generation', 'retriever', 'embedding', 'reranker', 'workflow', 'llm_request'],
  ...[
    'tools/call',
    'tools_call',
    'execute_tool',
    'mcp_tool_call',
    'tool_call',
    'tool-call',
    'ai.toolcall',
    'interaction',
  ],
  ...['{"params":{"name":"x","arguments":{}},"tools":[],"kwargs":{}}', '[{"role":"user","content":"x"}]'],
];
const operations = ['chat', 'execute_tool', 'invoke_agent', 'embeddings', 'retrieval', 'rerank', 'agent_step'];

export function askedNames(dialect: Dialect): AskedNames {
  const attributes = new Set((dialect.marks.attributes ?? []).map((name) => name.replace('*', 'x')));
  const prefixes = new Set<string>();
  const events = new Set<string>(dialect.marks.events);
  const readings = [dialect.fields, dialect.corrects, dialect.lastResort].flatMap((table) =>
    Object.values(table ?? {}),
  );
  for (const answer of answers) {
    for (const operation of operations) {
      const source = recording(answer, operation);
      for (const read of [...readings, dialect.version ?? (() => undefined)]) read(source);
    }
  }
  return { attributes: [...attributes], prefixes: [...prefixes], events: [...events] };

  function noted<T>(names: Set<string>, found: readonly string[], result: T): T {
    for (const name of found) names.add(name);
    return result;
  }

  function recording(answer: Value | undefined, operation: string): SpanSource {
    return {
      name: 'MCP send tools/call x',
      scopeName: [...(dialect.marks.scopes ?? [])].at(-1) ?? '',
      scopeVersion: '1',
      failed: true,
      statusMessage: 'failed',
      body: undefined,
      attribute: (name) => noted(attributes, [name], answer),
      isEmpty: (name) => noted(attributes, [name], false),
      resource: () => undefined,
      tree: (prefix) => noted(prefixes, [prefix], answer === undefined ? undefined : [{ role: 'user', content: 'x' }]),
      events: (...names) => {
        const attributes = { content: answer ?? null, message: answer ?? null };
        return noted(events, names, answer === undefined ? [] : [{ name: names[0] ?? '', attributes }]);
      },
      canonical: () => operation,
    };
  }
}

/** Names that agents, tools and so on go by in the load: most of them plain, and of each kind some that an attacker chose. */
export const hostileNames = [
  `\\' OR 1=1 -- "';DROP TABLE findings;{a:String}`,
  '<img src=x onerror=alert(1)>\u001b[31m\u202e$__toTime ${trace_id} %27 ,{}',
  `${'long '.repeat(400)}')) UNION ALL SELECT 1 --`,
] as const;

const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name}-${String(index).padStart(3, '0')}`);

/** One agent has no name and goes by its service. */
export const agents: readonly string[] = [...numbered('agent', 36), '', ...hostileNames];
export const tools: readonly string[] = [...numbered('tools.call', 297), ...hostileNames];
export const domains: readonly string[] = [
  ...numbered('domain', 397).map((each) => `${each}.example`),
  ...hostileNames,
];
export const models: readonly string[] = [
  'gpt-5',
  'gpt-5-mini',
  'claude-opus-5',
  'claude-haiku-5',
  'gemini-3',
  'llama-5',
];
export const rules: readonly string[] = [...numbered('rule', 117), ...hostileNames];

/**
 * Provider names as OTel has them. Emitters write them in their own ways; names of frameworks are no providers.
 * https://github.com/open-telemetry/semantic-conventions-genai
 */
export function canonicalProvider(name: string): string | undefined {
  const lower = name.trim().toLowerCase();
  if (lower === '' || frameworks.has(lower)) return undefined;
  const found = lookUp(lower);
  if (found !== undefined) return found;
  // The AI SDK writes `openai.chat`, `google.generative-ai`, `amazon-bedrock`: the longest beginning counts.
  for (let end = lower.length; end > 0; end--) {
    if (lower[end] !== '.' && lower[end] !== '-') continue;
    const prefix = lookUp(lower.slice(0, end));
    if (prefix !== undefined) return prefix;
  }
  return lower;
}

function lookUp(name: string): string | undefined {
  return canonical.has(name) ? name : folded.get(name);
}

const canonical = new Set([
  'openai',
  'anthropic',
  'aws.bedrock',
  'azure.ai.openai',
  'azure.ai.inference',
  'gcp.gemini',
  'gcp.vertex_ai',
  'gcp.gen_ai',
  'mistral_ai',
  'cohere',
  'groq',
  'deepseek',
  'perplexity',
  'x_ai',
  'moonshot_ai',
  'ibm.watsonx.ai',
]);

const folded = new Map([
  ['vertex_ai', 'gcp.vertex_ai'],
  ['vertexai', 'gcp.vertex_ai'],
  ['google-vertex', 'gcp.vertex_ai'],
  ['google.vertex', 'gcp.vertex_ai'],
  ['google', 'gcp.vertex_ai'],
  ['gcp.vertex.agent', 'gcp.vertex_ai'],
  ['gemini', 'gcp.gemini'],
  ['google.generative-ai', 'gcp.gemini'],
  ['az.ai.openai', 'azure.ai.openai'],
  ['az.ai.inference', 'azure.ai.inference'],
  ['azure', 'azure.ai.openai'],
  ['azure-openai', 'azure.ai.openai'],
  ['xai', 'x_ai'],
  ['mistralai', 'mistral_ai'],
  ['mistral', 'mistral_ai'],
  ['aws', 'aws.bedrock'],
  ['amazon', 'aws.bedrock'],
  ['amazon-bedrock', 'aws.bedrock'],
  ['bedrock', 'aws.bedrock'],
  ['moonshot', 'moonshot_ai'],
  ['watsonx', 'ibm.watsonx.ai'],
]);

const frameworks = new Set([
  ...[
    'agno',
    'autogen',
    'ag2',
    'crewai',
    'haystack',
    'langchain',
    'langgraph',
    'llamaindex',
    'llama_index',
    'mastra',
    'mcp',
  ],
  ...['microsoft.agent_framework', 'openai_agents', 'openai-agents', 'pydantic-ai', 'pydantic_ai', 'semantic_kernel'],
  ...['smolagents', 'strands', 'strands-agents', 'vercel', 'vercel_ai', 'google_adk'],
]);

/** Why a model stopped, in the words of OTel; other words stay as they are. */
export function canonicalFinishReason(reason: string): string {
  return finishReasons.get(reason.toLowerCase()) ?? reason;
}

const finishReasons = new Map([
  ['tool_use', 'tool_call'],
  ['tool_calls', 'tool_call'],
  ['tool-calls', 'tool_call'],
  ['function_call', 'tool_call'],
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['completed', 'stop'],
  ['stop', 'stop'],
  ['max_tokens', 'length'],
  ['max_output_tokens', 'length'],
  ['content-filter', 'content_filter'],
  ['refusal', 'content_filter'],
  ['safety', 'content_filter'],
]);

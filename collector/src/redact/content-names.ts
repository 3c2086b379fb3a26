import { contentAttributes } from '../normalise/coverage.ts';

/**
 * Whether an attribute or fact holds what people, models, tools or documents say, in whatever dialect: `metadata_only` takes it
 * out as a whole.
 */
export function holdsContent(name: string): boolean {
  return (contentAttributes.has(name) || content.test(name)) && !metadata.test(name);
}

/** A text this long is content, whatever its name. */
export const metadataCharsMax = 512;

/** Names, counts and types among them. */
const metadata = /^gen_ai\.tool\.name$|[._](?:token_count\.\w+|type|mime_type|role|count)$/;

const content = new RegExp(
  [
    // OTel's generations, its events and logs.
    '^gen_ai\\.(?:input|output)\\.messages',
    '^gen_ai\\.(?:prompt|completion|system_instructions|content|event\\.content|retrieval\\.documents)(?:\\.|$)',
    '^gen_ai\\.(?:tool\\.(?:definitions|description|call\\.(?:arguments|result))|evaluation\\.explanation)',
    '^gen_ai\\.[a-z_.]*(?:message|choice|query\\.text)',
    '^(?:exception\\.(?:message|stacktrace)|db\\.(?:statement|query\\.(?:text|parameter))|http\\.(?:request|response)\\.body|url\\.(?:full|query))',
    '^(?:http\\.(?:request|response)\\.header|graphql\\.document|messaging\\.message\\.body|process\\.command|code\\.stacktrace)',
    // OpenInference, OpenLLMetry, Vercel's AI SDK, Langfuse, LangSmith, MLflow, ADK, Mastra and others.
    '^(?:input|output)(?:\\.|$)|\\.(?:inputs?|outputs?)(?:\\.|$)',
    '^(?:llm\\.(?:input_messages|output_messages|prompts?|completions?|prompt_template|invocation_parameters|function_call|tools))',
    '^(?:retrieval|reranker|embedding|document|tool)\\.(?!name$|id$|type$|model_name$|tool_call\\.id$|call\\.id$|embeddings?\\.\\d+\\.embedding\\.vector$)',
    '^ai\\.(?:prompt|response\\.(?:text|object|reasoning|toolCalls|files)|toolCall\\.(?:args|result)|values?|documents?)',
    '(?:arguments|argument|parameters|prompt|completion|instructions?|document|documents|stdout|stderr|command|query)(?:\\.|$)',
    // What log records of coding agents and older GenAI events call it.
    '^(?:response|content|tool_calls)$',
    '^body$|(?:^|[._])(?:tool_(?:input|output|response|result|args)|args|result|body|message|messages|text|transcript)$',
    // Facts that quote from it; kinds, domains and flags may stay.
    '^spanwarden\\.(?:argument|text|values)\\.',
    '^spanwarden\\.(?:effect|outgoing|flow)\\.[a-z_.]*(?:urls?|emails?|paths?|files?|commands?|words|arguments?|statements?|queries|accounts?|amounts?|bodies|body|targets?|segments|money)$',
    '^spanwarden\\.output\\.image_urls$',
  ].join('|'),
);

import type { CanonicalView } from '../canonical-view.ts';
import { type StoryName, words } from '../story.ts';

/** Which captured span is which span of the story. */
export interface Picked {
  /** Name of the span. */
  readonly span: string;
  /** Which of those with this name, in the order in which they began. */
  readonly nth?: number;
  /** Fields of the view that the emitter does not say. */
  readonly lacks?: readonly string[];
  /** Fields that it says otherwise. */
  readonly instead?: CanonicalView;
  /** Texts that only begin so: stack traces follow. */
  readonly starts?: Readonly<Record<string, string>>;
  /** The dialect, where it is another than that of the capture. */
  readonly dialect?: string;
  /** It sends no such span. */
  readonly unsent?: true;
}

export type Capture = Readonly<Record<StoryName, readonly Picked[]>> & {
  readonly dialect?: string;
  /** What was said is in log records: the spans are looked at together with them, see `captured-logs.test.ts`. */
  readonly joined?: true;
};

export const session = 'gen_ai.conversation.id';
export const callId = 'gen_ai.tool.call.id';
export const provider = 'gen_ai.provider.name';
export const reasons = 'gen_ai.response.finish_reasons';
export const unsent: Picked = { span: '', unsent: true };
export const agent = { 'gen_ai.agent.name': words.agent };
/** The tool of the server is offered in both calls; the story does not show it. */
export const refundOffered = { 'spanwarden.tool.definition_hashes': ['refund <hash>'] };
/** An application's own word for MCP tools: no emitter but some tells them from others. */
export const plainTool = { category: ['tool'] };
/** What the spans around an agent's model calls repeat of them. */
export const repeated = { 'spanwarden.text.user': [words.task], 'spanwarden.text.output': [words.apology] };
export const model = { [provider]: 'openai', 'gen_ai.request.model': 'gpt-5' };
export const embedding = {
  'gen_ai.operation.name': 'embeddings',
  [provider]: 'openai',
  'gen_ai.request.model': 'text-embedding-3-small',
  'gen_ai.usage.input_tokens': 4,
};
export const reranking = { 'gen_ai.operation.name': 'rerank', [provider]: 'shop', 'gen_ai.request.model': 'ranker-1' };
export const proposed = {
  'spanwarden.proposed.tool_names': ['refund'],
  'message.assistant.tool_call.arguments': [words.refundCall],
};
export const history = ['message.assistant.tool_call.arguments', 'message.tool.name'];

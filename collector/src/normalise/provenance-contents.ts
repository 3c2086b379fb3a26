import type { GrownList } from '../model/grown-list.ts';
import type { Value } from '../model/value.ts';
import type { ProposedCall } from './flow.ts';
import { callFinder, type FindCall } from './known-calls.ts';
import { type Message, newMessages, resultTexts, textsOf } from './messages.ts';
import { asksApproval, type Content, contentsOf, isApproval, sourceClass, usedContents } from './provenance.ts';

/** What a span has of content. */
export interface SpanContent {
  readonly tool: string;
  readonly arguments: Value;
  readonly results: readonly string[];
  readonly retrieved: readonly string[];
  readonly system: readonly string[];
  readonly input: readonly Message[];
  /** One that begins with the messages of `input`. */
  readonly list?: GrownList<Message> | undefined;
  readonly proposed: readonly ProposedCall[];
}

export type ContentsByRole = Readonly<Record<Content['role'], readonly Content[]>>;

/** The same by role, as each fact asks for one. */
export function contentsByRole(span: SpanContent): ContentsByRole {
  const by: Record<Content['role'], Content[]> = { source: [], trusted: [], used: [] };
  for (const content of provenanceContents(span)) by[content.role].push(content);
  return by;
}

/** User texts of one call that are looked at, the newest: calls repeat the whole conversation. */
const userTextsMax = 64;

/**
 * Which texts of a span are what. A tool's result is there when its span ends, its arguments when it starts. What a model
 * reads is there when its call starts, what it proposes when the call ends.
 */
export function provenanceContents(span: SpanContent): readonly Content[] {
  const { tool, results } = span;
  const contents: Content[] = [];
  if (tool !== '') {
    contents.push(...contentsOf(results, { role: 'source', when: 'end', label: sourceClass(tool) }));
    contents.push(...usedContents(tool, span.arguments, 'start'));
    if (asksApproval(tool) && isApproval(results)) {
      for (const { text } of usedContents(tool, span.arguments, 'start')) {
        contents.push({ text, role: 'trusted', when: 'end', label: 'approved' });
      }
    }
  } else contents.push(...contentsOf(results, { role: 'source', when: 'end', label: 'untrusted' }));
  contents.push(...contentsOf(span.retrieved, { role: 'source', when: 'end', label: 'untrusted' }));
  contents.push(...contentsOf(span.system, { role: 'trusted', when: 'start', label: 'user_supplied' }));
  contents.push(...inputContents(span));
  for (const call of span.proposed) contents.push(...usedContents(call.name, call.arguments, 'end'));
  return contents;
}

function inputContents({ input, list }: Pick<SpanContent, 'input' | 'list'>): Content[] {
  const contents = userContents(input, list);
  let find: FindCall | undefined;
  for (const { parts } of newMessages(input)) {
    for (const part of parts) {
      if (part.kind !== 'tool_result') continue;
      find ??= callFinder(input, list);
      const label = sourceClass(find(part.id)?.name ?? '');
      contents.push(...contentsOf(resultTexts(part.result), { role: 'source', when: 'start', label }));
    }
  }
  return contents;
}

/** The same with every call that goes on with the conversation, so that each text is looked through once. */
function userContents(input: readonly Message[], list: GrownList<Message> | undefined): Content[] {
  if (list === undefined) return contentsOf(textsOf(input, 'user').slice(-userTextsMax), ofUser);
  const add = (message: Message, into: Content[]): number => {
    const texts = textsOf([message], 'user');
    for (const text of texts) into.push({ ...ofUser, text, kept: { items: {}, weigh: list.weigh } });
    return texts.length * contentBytes;
  };
  const known = list.derived('contents of the user', add, input.length);
  const count = known.upTo(input.length);
  return known.items.slice(Math.max(0, count - userTextsMax), count);
}

const ofUser = { role: 'trusted', when: 'start', label: 'user_supplied' } as const;
const contentBytes = 160;

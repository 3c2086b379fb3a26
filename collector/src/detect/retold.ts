import type { ConversationPart, SpanEvents } from '../model/span-events.ts';
import type { RuleNode } from './compile.ts';
import type { Rule } from './load.ts';
import type { Cursor } from './reader.ts';
import { fieldsOf } from './rule-fields.ts';

/**
 * Whether matches of a rule may be retold: it reads messages, and beside them nothing that differs between the calls of a
 * session. Of other rules every match is new.
 */
export function canBeRetold(rule: Rule): boolean {
  const fields = fieldsOf(rule);
  return fields.some(isOfMessages) && fields.every((name) => isOfMessages(name) || isLasting(name));
}

function isOfMessages(name: string): boolean {
  return name.startsWith('message.');
}

function isLasting(name: string): boolean {
  return name.startsWith('resource.') || lasting.has(name);
}

const lasting = new Set([
  'service.name',
  'user.id',
  'gen_ai.agent.id',
  'gen_ai.agent.name',
  'gen_ai.agent.version',
  'gen_ai.conversation.id',
  'gen_ai.operation.name',
  'gen_ai.provider.name',
  'spanwarden.agent',
  'spanwarden.session',
]);

/** What a match of such a rule is about. */
export interface Telling {
  /** Calls before had all of it. */
  readonly retold: boolean;
  /** Where it shows: in a part of the conversation, or in the whole. */
  readonly events: SpanEvents;
}

/**
 * Whether a match on the span under the cursor is new: it is when the calls before did not match, and when what is new in this one
 * matches alone. This is told from the span by itself: no order of arrival and no restart changes it, and there is nothing to remember.
 */
export function tellingOf(node: RuleNode, cursor: Cursor): Telling {
  const { events } = cursor;
  if (events.partOf === undefined) return { retold: false, events };
  const earlier = viewOf(events, 'earlier');
  if (!reading(cursor, earlier, () => node.test(cursor))) return { retold: false, events };
  const fresh = viewOf(events, 'new');
  return reading(cursor, fresh, () => node.test(cursor))
    ? { retold: false, events: fresh }
    : { retold: true, events: earlier };
}

/** Does something with the cursor on other events. Readers keep what they read for a turn, so there is a new one. */
export function reading<T>(cursor: Cursor, events: SpanEvents, work: () => T): T {
  const before = cursor.events;
  cursor.events = events;
  cursor.turn++;
  try {
    return work();
  } finally {
    cursor.events = before;
    cursor.turn++;
  }
}

function viewOf(events: SpanEvents, part: ConversationPart): SpanEvents {
  return {
    batch: events.batch,
    value: (span, field) => events.partOf!(part, span, field),
    repeated: (span, field) => events.repeated?.(span, field, part),
    categories: (span) => events.categories(span),
    texts: (span) => events.texts(span),
  };
}

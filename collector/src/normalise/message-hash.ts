import { hash } from 'node:crypto';
import { valueText } from '../model/value.ts';
import type { Message, Part } from './messages.ts';

/** Hashes of a list of messages, one entry per message; 128 bits each, as 32 hex digits. */
export interface MessageHashes {
  /** Of each message by itself: its role and its parts. */
  readonly messages: readonly string[];
  /** Of the list up to and including each message: two calls with an equal one share that much of their history. */
  readonly prefixes: readonly string[];
}

interface Known {
  readonly own: string;
  /** The prefix that it was last asked behind, and what came out. */
  before?: string;
  after?: string;
}

/** A message that is read once for several calls is hashed once. */
const known = new WeakMap<Message, Known>();

/**
 * Hashes by which a message is the same one in each call that sends it again, after a restart too. What a model answers has the hash
 * that it has as history: reasons to stop and reasoning, which many do not send back, leave it as it is. SHA-256, cut: senders
 * choose the texts, and two of them that they could give one hash would pass for one message.
 */
export function messageHashes(messages: readonly Message[]): MessageHashes {
  const own: string[] = [];
  const prefixes: string[] = [];
  let prefix = '';
  for (const message of messages) {
    let memo = known.get(message);
    if (memo === undefined) {
      memo = { own: messageHash(message) };
      known.set(message, memo);
    }
    if (memo.before !== prefix) {
      memo.before = prefix;
      memo.after = digest(`${prefix}${memo.own}`);
    }
    prefix = memo.after!;
    own.push(memo.own);
    prefixes.push(prefix);
  }
  return { messages: own, prefixes };
}

/** The hash of a list up to and including a message, from that of those before it: '' where there are none. */
export function nextPrefix(prefix: string, message: Message): string {
  return digest(prefix + messageHash(message));
}

/** The hash of one message; see `messageHashes`. */
export function messageHash({ role, parts }: Message): string {
  let text: string = role;
  for (const part of parts) text += partText(part);
  return digest(text);
}

/** Every text comes with its length, so that no text of one part can pass for two. */
function partText(part: Part): string {
  if (part.kind === 'text') return part.reasoning ? '' : told('t', part.text);
  if (part.kind === 'tool_call')
    return told('c', part.id) + told('n', part.name) + told('a', valueText(part.arguments));
  if (part.kind === 'tool_result') return told('r', part.id) + told('v', valueText(part.result));
  return told('m', part.form) + told('y', part.mediaType) + told('u', part.uri);
}

function told(kind: string, text: string): string {
  return `\n${kind}${text.length}:${text}`;
}

function digest(text: string): string {
  return hash('sha256', text, 'hex').slice(0, 32);
}

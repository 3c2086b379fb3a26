import { parsedOrText } from '../content.ts';
import { type Assembly, isObject, type Json, number } from './model-api.ts';

interface BlockDraft {
  readonly start: Json;
  text: string;
  json: string;
}

const blocksMax = 256;

/**
 * Puts the events of a streamed message together: `message_start`, then per block `content_block_start`, deltas and stop,
 * then `message_delta` with stop reason and final usage. https://docs.anthropic.com/en/docs/build-with-claude/streaming
 */
export function assembleMessage(bytesMax: number): Assembly {
  let message: Record<string, unknown> = {};
  const blocks = new Map<number, BlockDraft>();
  return {
    add(event) {
      switch (event.type) {
        case 'message_start':
          if (isObject(event.message)) message = { ...event.message };
          return;
        case 'content_block_start':
          startBlock(blocks, event);
          return;
        case 'content_block_delta':
          growBlock(blocks, event, bytesMax);
          return;
        case 'message_delta':
          finishMessage(message, event);
      }
    },
    reply: () => ({ ...message, content: [...blocks.values()].map(draftedBlock) }),
  };
}

function startBlock(blocks: Map<number, BlockDraft>, event: Json): void {
  if (blocks.size >= blocksMax || !isObject(event.content_block)) return;
  blocks.set(number(event.index) ?? blocks.size, { start: event.content_block, text: '', json: '' });
}

function growBlock(blocks: Map<number, BlockDraft>, event: Json, bytesMax: number): void {
  const block = blocks.get(number(event.index) ?? -1);
  const delta = isObject(event.delta) ? event.delta : {};
  if (!block) return;
  const said = delta.text ?? delta.thinking;
  if (typeof said === 'string' && block.text.length < bytesMax) block.text += said;
  if (typeof delta.partial_json === 'string' && block.json.length < bytesMax) block.json += delta.partial_json;
}

/** Usage in `message_delta` is cumulative; null there means that the earlier value holds. */
function finishMessage(message: Record<string, unknown>, event: Json): void {
  const { stop_reason: reason } = isObject(event.delta) ? event.delta : {};
  if (reason != null) message.stop_reason = reason;
  const usage: Record<string, unknown> = { ...(isObject(message.usage) ? message.usage : {}) };
  for (const [name, value] of Object.entries(isObject(event.usage) ? event.usage : {})) {
    if (value != null) usage[name] = value;
  }
  message.usage = usage;
}

function draftedBlock({ start, text, json }: BlockDraft): Json {
  switch (start.type) {
    case 'text':
      return { ...start, text: `${typeof start.text === 'string' ? start.text : ''}${text}` };
    case 'thinking':
      return { ...start, thinking: `${typeof start.thinking === 'string' ? start.thinking : ''}${text}` };
    default:
      return json === '' ? start : { ...start, input: parsedOrText(json) };
  }
}

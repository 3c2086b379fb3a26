import { Grown, type GrownList } from '../model/grown-list.ts';
import type { RepeatedTexts } from '../model/span-events.ts';
import type { Message, Part } from './messages.ts';

/** What is read of one conversation, in the order of its messages. */
interface Reading {
  /** Names of the last calls, by their ids. */
  readonly byId: Map<string, string>;
  /** Ids of results that no call stands before. */
  readonly unasked: Set<string>;
  /** Names of calls that results without id and name may belong to by their place. */
  calls: string[];
  /** Names from the first result on whose name is told by its place only when the next call comes; undefined for these. */
  open: (string | undefined)[];
  /** Names that nothing behind them changes. */
  readonly names: Grown<string>;
  looked: number;
  /** A call stands behind its result: names may change with each message. */
  isOdd: boolean;
}

/**
 * Tools whose results stand in messages: by the id of the last call before them, else of the last one at all; results without an id
 * by their place, where there are as many of them as calls before them.
 */
export function resultNames(messages: readonly Message[]): string[] {
  const parts = messages.flatMap((message) => message.parts);
  const byId = new Map(parts.flatMap((part) => (part.kind === 'tool_call' ? [[part.id, part.name]] : [])));
  const reading: Reading = { ...emptyReading(new Grown<string>(() => undefined)), byId };
  for (const part of parts) read(reading, part);
  settle(reading);
  return reading.names.items;
}

/**
 * The same where the messages that were sent are all of a list: of those that were there before it is known. Undefined where it must be
 * worked out anew.
 */
export function repeatedResultNames(
  list: GrownList<Message>,
  count: number,
  output: readonly Message[],
): RepeatedTexts | undefined {
  if (count !== list.items.length) return undefined;
  const reading = readingOf(list);
  if (reading.isOdd) return undefined;
  const tail = tailOf(reading, output);
  if (tail === undefined) return undefined;
  return { head: none, sent: reading.names, count: reading.names.items.length, tail };
}

/** Names of what is open, and of the answer: tools that the provider runs have their results in it. */
function tailOf({ byId, unasked, calls, open }: Reading, output: readonly Message[]): string[] | undefined {
  const tail = settled(calls, open);
  const made = new Map<string, string>();
  for (const { parts } of output) {
    for (const part of parts) {
      if (part.kind === 'tool_call') {
        if (unasked.has(part.id)) return undefined;
        made.set(part.id, part.name);
      } else if (part.kind === 'tool_result') {
        const name = part.id === '' ? part.name : (made.get(part.id) ?? byId.get(part.id));
        // By their place, and by a call that may stand behind them.
        if (name === undefined) return undefined;
        push(tail, name || part.name);
      }
    }
  }
  return tail;
}

function readingOf(list: GrownList<Message>): Reading {
  const kept = list.derived<never>('names of results', () => 0, 0);
  kept.note ??= emptyReading(new Grown<string>(list.weigh));
  const reading = kept.note as Reading;
  let bytes = 0;
  for (; reading.looked < list.items.length; reading.looked++) {
    for (const part of list.items[reading.looked]!.parts) {
      if (part.kind !== 'tool_call' && part.kind !== 'tool_result') continue;
      if (part.kind === 'tool_call') reading.isOdd ||= reading.unasked.has(part.id);
      else if (part.id !== '' && !reading.byId.has(part.id)) reading.unasked.add(part.id);
      read(reading, part);
      bytes += partBytes;
    }
  }
  if (bytes > 0) list.weigh(bytes);
  return reading;
}

function emptyReading(names: Grown<string>): Reading {
  return { byId: new Map(), unasked: new Set(), calls: [], open: [], names, looked: 0, isOdd: false };
}

function read(reading: Reading, part: Part): void {
  const { byId, open, names } = reading;
  if (part.kind === 'tool_call') {
    if (open.length > 0) settle(reading);
    reading.calls.push(part.name);
    byId.set(part.id, part.name);
  } else if (part.kind === 'tool_result') {
    if (part.id === '' && part.name === undefined) open.push(undefined);
    else {
      const name = (part.id === '' ? part.name : byId.get(part.id)) || part.name;
      if (open.length > 0) open.push(name ?? '');
      else push(names.items, name);
    }
  }
}

function settle(reading: Reading): void {
  for (const name of settled(reading.calls, reading.open)) reading.names.items.push(name);
  [reading.calls, reading.open] = [[], []];
}

/** Results without id and name have those of the calls, where there are as many. */
function settled(calls: readonly string[], open: readonly (string | undefined)[]): string[] {
  const names: string[] = [];
  const isByPlace = open.reduce((count, name) => count + (name === undefined ? 1 : 0), 0) === calls.length;
  let place = 0;
  for (const name of open) push(names, name ?? (isByPlace ? calls[place++] : undefined));
  return names;
}

function push(names: string[], name: string | undefined): void {
  if (name !== undefined && name !== '') names.push(name);
}

const none: readonly never[] = [];
/** An entry of a map, and the name in two lists. */
const partBytes = 120;

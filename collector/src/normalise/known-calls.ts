import type { Grown, GrownList } from '../model/grown-list.ts';
import type { Message, Part } from './messages.ts';

export type CallPart = Part & { readonly kind: 'tool_call' };

/** The last tool call of an id; undefined when there is none. */
export type FindCall = (id: string) => CallPart | undefined;

/** Finds the tool calls of messages. @param list a list that begins with them: then only those that are new in it are looked at */
export function callFinder(messages: readonly Message[], list: GrownList<Message> | undefined): FindCall {
  if (list === undefined) {
    const byId = new Map(callsIn(messages).map((call) => [call.id, call]));
    return (id) => byId.get(id);
  }
  const calls = list.derived('calls', addCalls, messages.length);
  const count = calls.upTo(messages.length);
  const places = placesOf(calls);
  return (id) => {
    // Of calls behind these messages only other calls of the model tell.
    const place = places.get(id)?.findLast((each) => each < count);
    return place === undefined ? undefined : calls.items[place];
  };
}

/** All tool calls of messages, in their order. */
export function callsIn(messages: readonly Message[]): CallPart[] {
  const found: CallPart[] = [];
  for (const message of messages) addCalls(message, found);
  return found;
}

function addCalls({ parts }: Message, into: CallPart[]): number {
  for (const part of parts) if (part.kind === 'tool_call') into.push(part);
  return 0;
}

interface Places {
  /** Where in the list the calls of an id stand, ascending. */
  readonly byId: Map<string, number[]>;
  looked: number;
}

function placesOf(calls: Grown<CallPart>): Places['byId'] {
  calls.note ??= { byId: new Map(), looked: 0 } satisfies Places;
  const places = calls.note as Places;
  const added = calls.items.length - places.looked;
  for (; places.looked < calls.items.length; places.looked++) {
    const { id } = calls.items[places.looked]!;
    const known = places.byId.get(id);
    if (known === undefined) places.byId.set(id, [places.looked]);
    else known.push(places.looked);
  }
  if (added > 0) calls.weigh(added * callBytes);
  return places.byId;
}

/** An entry of a map with a list of one number. */
const callBytes = 120;

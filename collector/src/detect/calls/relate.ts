import { agree, type CallView, canBeSame, compareViews, isBelow, isOneStory, isSameId, mayBeSameTool } from './view.ts';
import type { Kept } from './view-store.ts';

/** Views that stand for others, and what they stand for. */
const above = {
  client: ['execution', 'client'],
  server: ['execution', 'client'],
  answered: ['execution', 'client', 'server'],
} as const;

/**
 * The view of the same call that counts before this one: the span above it, else one with the same id, else the first one of that name
 * and arguments that stands for no other view like it; within the time of a tool span all clients are its own.
 * @param near views that share something with it, in event order
 */
export function callOver(view: CallView, near: readonly Kept[]): Kept | undefined {
  const kinds: readonly string[] = above[view.kind as keyof typeof above];
  const parent = near.find((each) => kinds.includes(each.view.kind) && isBelow(view, each.view));
  if (parent !== undefined) return parent;
  for (const kind of kinds) {
    const alike = near.filter((each) => each.view.kind === kind && isSameCall(view, each.view, near));
    const found =
      alike.find((each) => isSameId(view, each.view)) ??
      alike.find((each) => isInTime(view, each.view) && (view.kind === 'client' || !each.claimed.includes(view.kind)));
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * An answer that holds only the id of its call, with the name and arguments under which the model asked for it.
 * @param near views under the same id, in event order
 */
export function namedAnswer(view: CallView, near: readonly Kept[]): CallView {
  const asked = near.findLast(
    ({ view: other }) => other.kind === 'proposed' && isSameId(view, other) && canBeSame(view, other),
  );
  if (asked === undefined) return view;
  const { name, given, isWhole } = asked.view;
  return { ...view, name, given, isWhole, isAsked: true };
}

/** Whether an earlier model call told the same result: it was sent again, or one span wraps another. */
export function earlierAnswer(view: CallView, near: readonly Kept[]): boolean {
  return near.some(({ view: other }) => {
    if (other.kind !== 'answered' || compareViews(other, view) > 0 || !canBeSame(view, other)) return false;
    if (!agree(view, other) || !mayBeSameTool(view, other)) return false;
    // Some emitters number calls anew in each turn; a list that is sent again has as many messages.
    if (isSameId(view, other) && view.turn === other.turn) return true;
    return other.traceId === view.traceId && other.spanId !== view.spanId && overlap(view, other);
  });
}

/** What the model asked for under the id of a call, in event order. */
export function proposalsOf(view: CallView, near: readonly Kept[]): CallView[] {
  return near.flatMap(({ view: other }) =>
    other.kind === 'proposed' && isSameId(view, other) && isOneStory(view, other) ? [other] : [],
  );
}

/**
 * The proposal that a call without an id came of: of the newest answer before it the first that no other call was
 * found to come of.
 */
export function originOf(view: CallView, near: readonly Kept[]): Kept | undefined {
  const fitting = near.filter(
    ({ view: other, claimed }) =>
      other.kind === 'proposed' &&
      !claimed.includes(view.kind) &&
      other.endNanos <= view.startNanos + skewNanos &&
      canBeSame(view, other),
  );
  const newest = fitting.at(-1);
  return fitting.find(({ view: other }) => other.spanId === newest?.view.spanId);
}

/** Whether a call was executed or its result told; of proposals told twice only the first may go unanswered. */
export function isAnswered(view: CallView, near: readonly Kept[]): boolean {
  return near.some(({ view: other }) => {
    if (other.kind === 'proposed') return compareViews(other, view) < 0 && canBeSame(view, other) && agree(view, other);
    return canBeSame(view, other);
  });
}

/**
 * An id that is the same says that the call is. Some emitters number calls anew in each turn, though: then arguments differ, and those of
 * the other view were proposed as well.
 */
function isSameCall(view: CallView, other: CallView, near: readonly Kept[]): boolean {
  if (!canBeSame(view, other)) return false;
  if (agree(view, other)) return true;
  return !near.some(
    ({ view: each }) => each.kind === 'proposed' && isSameId(each, other) && each.given.hash === other.given.hash,
  );
}

/** A client span lies within the tool span; a result is told by a model call that begins after it. Clocks of servers may differ. */
function isInTime(view: CallView, over: CallView): boolean {
  if (view.kind === 'client') {
    const isSameTime = over.startNanos === view.startNanos && over.endNanos === view.endNanos;
    const isWithin = over.startNanos <= view.startNanos && view.endNanos <= over.endNanos;
    return isWithin && (over.kind === 'execution' || !isSameTime);
  }
  return view.kind === 'server' || over.endNanos <= view.startNanos + skewNanos;
}

function overlap(a: CallView, b: CallView): boolean {
  return a.startNanos <= b.endNanos && b.startNanos <= a.endNanos;
}

/** Clocks of one process, read at different moments. */
const skewNanos = 1_000_000_000n;

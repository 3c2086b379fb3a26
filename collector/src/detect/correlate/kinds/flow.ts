import { limits } from '../../../model/limits.ts';
import type { SpanIdentity } from '../../span-identity.ts';
import type { CorrelationText } from '../correlation.ts';
import type { FlowSyntax } from '../extension.ts';
import type { Change, EpisodeNote } from '../kind.ts';
import {
  createOpenFindings,
  type Kind,
  type KindEvent,
  type KindGroup,
  noteFinding,
  type OpenFindings,
  openEpisode,
  openFindingOf,
  updateEpisode,
} from './grouped.ts';

/** Where a value was first. `origin` is a source class, `-` for the agent's own arguments. */
interface Origin {
  readonly origin: string;
  readonly sensitive: boolean;
  readonly decoded: boolean;
  readonly kind: string;
  readonly shown: string;
  readonly span: SpanIdentity;
  readonly sinceNanos: bigint;
}

export interface Flow {
  /** By hash; the value that was first there longest ago comes first. */
  readonly origins: Map<string, Origin>;
  /** What clears a value: who said it, and since when. */
  readonly trusted: Map<string, { readonly by: string; readonly sinceNanos: bigint }>;
  /** Values that reached a sink, with their findings. */
  readonly open: OpenFindings;
  dropped: number;
}

/** One value of an item of the facts `spanwarden.values.*`. */
interface Item {
  readonly role: string;
  readonly atNanos: bigint;
  readonly label: string;
  readonly kind: string;
  readonly hash: string;
  readonly shown: string;
  readonly decoded: boolean;
}

interface Hit {
  readonly item: Item;
  readonly source: Origin;
}

/** A copy of one run of words may be chance; two different ones of one source are not. */
const wordHitsMin = 2;

/**
 * flow: a value that a source brought into the session is an argument of a call with consequences, and neither the user nor the
 * agent itself had it first. The source must have been there before the call began.
 */
export function flowKind(
  correlation: CorrelationText,
  syntax: FlowSyntax,
  valuesMax: number = limits.flowValuesPerSessionMax,
): Kind<Flow> {
  const narrowed = correlation.syntax.rules.length > 1;
  return {
    idleNanos: syntax.idleNanos,
    create: () => ({ origins: new Map(), trusted: new Map(), open: createOpenFindings(), dropped: 0 }),
    add: (group, event) => {
      const { state } = group;
      const items = event.values.flatMap((value) => itemsOf(String(value), event));
      // Sources before arguments: a model call proposes what it has just read.
      for (const item of items) if (item.role !== 'used') learn(state, item, event.span, valuesMax);
      const allowed = !narrowed || (event.members & ~1) !== 0;
      const hits = allowed ? items.flatMap((item) => hitOf(state, item, syntax)) : [];
      for (const item of items) if (item.role === 'used') learn(state, item, event.span, valuesMax);
      const real = hits.filter(({ item }) => item.kind !== 'words' || isCopy(item, hits));
      return real.length === 0 ? undefined : report(correlation, group, event, real);
    },
    size: ({ origins, trusted, open }) => 1 + origins.size + trusted.size + open.idOf.size,
    dropped: ({ dropped }) => dropped,
  };
}

function itemsOf(text: string, { timeNanos, startNanos }: KindEvent): Item[] {
  const [role, when, label, kind, hashes, ...shown] = text.split(' ');
  if (hashes === undefined) return [];
  const [name, decoded] = role!.split(':');
  return hashes.split(',').map((hash) => ({
    role: name!,
    atNanos: when === 'start' ? startNanos : timeNanos,
    label: label!,
    kind: kind!,
    hash,
    shown: shown.join(' '),
    decoded: decoded !== undefined,
  }));
}

/** The first place a value is seen at is where it comes from: what repeats it later brought nothing in. */
function learn(
  state: Flow,
  { role, label, kind, hash, shown, atNanos, decoded }: Item,
  span: SpanIdentity,
  max: number,
): void {
  if (role === 'trusted') {
    const known = state.trusted.get(hash);
    // The user's own words outrank an approval, so that either exception of a rule finds what it needs.
    if (known === undefined || (known.by !== 'user_supplied' && label === 'user_supplied')) {
      state.trusted.set(hash, { by: label, sinceNanos: atNanos });
    }
    shorten(state, state.trusted, max);
    return;
  }
  const known = state.origins.get(hash);
  if (known && known.sinceNanos <= atNanos) return;
  const sensitive = kind === 'secret' || kind === 'pii';
  const origin = role === 'source' ? label : '-';
  state.origins.set(hash, { origin, sensitive, decoded, kind, shown, span, sinceNanos: atNanos });
  shorten(state, state.origins, max);
}

function shorten<T>(state: Flow, values: Map<string, T>, max: number): void {
  if (values.size <= max) return;
  values.delete(values.keys().next().value!);
  state.dropped++;
}

function hitOf(state: Flow, item: Item, syntax: FlowSyntax): Hit[] {
  const { from, to, via, unless, kinds } = syntax;
  if (item.role !== 'used' || !kinds.some((kind) => kind === item.kind)) return [];
  if (!item.label.split('+').some((effect) => to.some((each) => each === effect))) return [];
  const source = state.origins.get(item.hash);
  if (source === undefined || source.origin === '-' || source.sinceNanos > item.atNanos) return [];
  if (!from.some((each) => each === source.origin || (each === 'sensitive' && source.sensitive))) return [];
  const way = item.kind === 'words' ? 'ngram' : item.decoded || source.decoded ? 'decoded' : 'value';
  if (!via.includes(way)) return [];
  const cleared = state.trusted.get(item.hash);
  if (cleared && cleared.sinceNanos <= item.atNanos && unless.some((each) => each === cleared.by)) return [];
  return [{ item, source }];
}

function isCopy({ hash }: Item, hits: readonly Hit[]): boolean {
  const span = hits.find(({ item }) => item.hash === hash)!.source.span;
  const shared = new Set(hits.filter(({ item, source }) => item.kind === 'words' && source.span === span));
  return shared.size >= wordHitsMin;
}

function report(
  correlation: CorrelationText,
  group: KindGroup<Flow>,
  { timeNanos, span }: KindEvent,
  hits: readonly Hit[],
): Change {
  const { open } = group.state;
  const [first] = hits;
  const shown = `${describe(first!)}${hits.length > 1 ? `, and ${hits.length - 1} more values` : ''}`;
  const hashes = hits.map(({ item }) => item.hash);
  const known = openFindingOf(open, hashes);
  const sources = [...new Map(hits.map(({ source }) => [source.span.spanId, source.span])).values()];
  const notes = hits.slice(0, 8).map((hit) => noteOf(hit, span));
  const spans = [...sources.filter(({ spanId }) => spanId !== span.spanId).slice(0, 6), span];
  const change = known
    ? updateEpisode(known, timeNanos, 1, known.shown)
    : openEpisode(correlation, group, span, timeNanos, { spans, count: spans.length, shown, notes });
  group.episode = null;
  noteFinding(open, change.episode, hashes, limits.flowEpisodesMax);
  return change;
}

function describe({ item, source }: Hit): string {
  const what = source.sensitive ? `sensitive ${source.shown}` : `${source.origin} ${item.kind}`;
  const value = item.kind === 'words' ? 'a copy of its text' : source.sensitive ? '' : item.shown;
  return `${[what, value].filter((each) => each !== '' && each !== '-').join(' ')} → ${item.label}`;
}

function noteOf({ item, source }: Hit, sink: SpanIdentity): EpisodeNote {
  const name = (span: SpanIdentity): string => `${span.toolName || span.spanName} (${span.spanId})`;
  const way = item.kind === 'words' ? 'ngram' : item.decoded || source.decoded ? 'decoded' : 'value';
  const value = item.kind === 'words' ? 'the same words' : source.shown;
  return {
    field: `${item.kind} by ${way}`,
    wanted: `${source.origin}${source.sensitive ? ', sensitive' : ''} → ${item.label}`,
    excerpt: `${value} of ${name(source.span)} in ${name(sink)}`,
  };
}

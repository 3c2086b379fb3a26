import { numericOf } from '../modifiers/numbers.ts';
import type { SpanIdentity } from '../span-identity.ts';
import { type Correlation, isCorrelation } from './correlation.ts';
import { membersFrom, textsFrom } from './evaluator.ts';
import type { GroupPart } from './event.ts';
import type { Episode } from './kind.ts';

/** What each correlation, by its place, is to do at one moment. */
export type Work = Map<number, { readonly span: SpanIdentity; readonly part: GroupPart }[]>;

/** A correlation that uses another, and what it reads of the other's matches. */
export interface Parent {
  readonly index: number;
  readonly correlation: Correlation;
  readonly members: number;
  readonly groupFields: readonly string[];
  readonly valueFields: readonly string[];
}

export function parentsOf(child: Correlation, correlations: readonly Correlation[]): readonly Parent[] {
  return correlations.flatMap((correlation, index) => {
    const member = correlation.members.find(({ source }) => isCorrelation(source) && source === child);
    if (!member) return [];
    const { groupFields, valueFields } = member;
    return [{ index, correlation, members: membersFrom(correlation, child), groupFields, valueFields }];
  });
}

/** Adds to the work of the parents that a child's episode has opened. */
export function tellParents(child: Correlation, episode: Episode, parents: readonly Parent[], work: Work): void {
  for (const { index, members, groupFields, valueFields, correlation } of parents) {
    const texts = textsFrom(child, groupFields, episode.groupTexts);
    const values = valuesFor(correlation, textsFrom(child, valueFields, episode.groupTexts));
    if (valueFields.length > 0 && values.length === 0) continue;
    const shares = work.get(index) ?? [];
    work.set(index, shares);
    shares.push({ span: episode.opened, part: { texts, members, values } });
  }
}

/** Of a child's match only its group is known: texts to count, or texts that spell numbers. */
function valuesFor({ syntax }: Correlation, texts: readonly string[]): (string | number)[] {
  if (syntax.type === 'value_count') return texts.length > 1 ? [JSON.stringify(texts)] : [...texts];
  return texts.map((text) => Number(numericOf(text) ?? Number.NaN)).filter(Number.isFinite);
}

import type { Evidence, Finding } from '../../model/finding.ts';
import { excerpt, spanEvidenceField } from '../evidence.ts';
import { reasonOf, ruleIdentity } from '../finding-texts.ts';
import type { CorrelationText } from './correlation.ts';
import { groupKeyOf } from './evaluator.ts';
import { plainSpan } from './kept-span.ts';
import type { Episode } from './kind.ts';
import { shownText } from './shown.ts';
import { wantedText } from './wanted.ts';

/** What never changes about the finding of an episode, which is given out anew with every event. */
const settledParts = new WeakMap<Episode, { readonly finding: Finding; readonly wanted: string }>();

/** The finding of an episode as it stands; the same episode gives the same id and time again. */
export function findingOf(correlation: CorrelationText, episode: Episode): Finding {
  const { syntax } = correlation;
  const known = settledParts.get(episode) ?? settledPartsOf(correlation, episode);
  settledParts.set(episode, known);
  const measured = syntax.fields.length === 0 ? '' : `(${syntax.fields.map(({ name }) => name).join(', ')})`;
  const value = `${episode.partial ? 'of the newest events: ' : ''}${episode.shown}`;
  const evidence: Evidence[] = [
    { selection: syntax.type, field: `${syntax.type}${measured}`, wanted: known.wanted, excerpt: value },
    ...(episode.notes ?? []).map((note): Evidence => ({ selection: syntax.type, ...note })),
    ...known.finding.evidence,
  ];
  return { ...known.finding, evidence, count: episode.count, lastSeenNanos: episode.lastSeenNanos };
}

function settledPartsOf(
  correlation: CorrelationText,
  { id, opened, groupTexts, spans }: Episode,
): { readonly finding: Finding; readonly wanted: string } {
  const { meta, syntax } = correlation;
  const { endNanos, ...shown } = plainSpan(opened);
  const finding: Finding = {
    id,
    timeNanos: endNanos,
    ...ruleIdentity(meta),
    reason: reasonOf(meta),
    groupKey: groupKeyOf(correlation, groupTexts.map(shownText)),
    ...shown,
    evidence: spans.map((span): Evidence => {
      const name = span.toolName || span.spanName;
      return {
        selection: 'span',
        field: spanEvidenceField,
        wanted: `${span.spanId} in trace ${span.traceId}`,
        excerpt: excerpt(name, { start: 0, end: name.length }),
      };
    }),
  };
  return { finding, wanted: wantedText(syntax) };
}

/** The ids of the spans in a finding's evidence. */
export function evidenceSpanIds({ evidence }: Finding): readonly string[] {
  return evidence.filter(({ field }) => field === spanEvidenceField).map(({ wanted }) => wanted.slice(0, 16));
}

import type { Evidence, Finding } from '../../model/finding.ts';
import { excerpt } from '../evidence.ts';
import { reasonOf, ruleIdentity } from '../finding-texts.ts';
import type { Correlation } from './correlation.ts';
import { groupKeyOf } from './evaluator.ts';
import type { Episode } from './kind.ts';
import { shownText } from './shown.ts';
import { wantedText } from './wanted.ts';

/** The field of evidence items that name a span of a correlation. */
const spanEvidenceField = 'span_id';

/** The finding of an episode as it stands; the same episode gives the same id and time again. */
export function findingOf(correlation: Correlation, episode: Episode): Finding {
  const { meta, syntax } = correlation;
  const { opened, spans } = episode;
  const { endNanos, ...shown } = opened;
  const measured = syntax.fields.length === 0 ? '' : `(${syntax.fields.map(({ name }) => name).join(', ')})`;
  const value = `${episode.partial ? 'of the newest events: ' : ''}${episode.shown}`;
  const evidence: Evidence[] = [
    { selection: syntax.type, field: `${syntax.type}${measured}`, wanted: wantedText(syntax), excerpt: value },
    ...(episode.notes ?? []).map((note): Evidence => ({ selection: syntax.type, ...note })),
    ...spans.map((span): Evidence => {
      const name = span.toolName || span.spanName;
      return {
        selection: 'span',
        field: spanEvidenceField,
        wanted: `${span.spanId} in trace ${span.traceId}`,
        excerpt: excerpt(name, { start: 0, end: name.length }),
      };
    }),
  ];
  return {
    id: episode.id,
    timeNanos: endNanos,
    ...ruleIdentity(meta),
    reason: reasonOf(meta),
    groupKey: groupKeyOf(correlation, episode.groupTexts.map(shownText)),
    ...shown,
    evidence,
    count: episode.count,
    lastSeenNanos: episode.lastSeenNanos,
  };
}

/** The ids of the spans in a finding's evidence. */
export function evidenceSpanIds({ evidence }: Finding): readonly string[] {
  return evidence.filter(({ field }) => field === spanEvidenceField).map(({ wanted }) => wanted.slice(0, 16));
}

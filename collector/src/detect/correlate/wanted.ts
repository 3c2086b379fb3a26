import type { CorrelationSyntax } from './correlation.ts';
import type { Extension } from './extension.ts';
import { thresholdsText } from './thresholds.ts';

/** What a correlation asks for, for people. */
export function wantedText({ extension, extended, thresholds, timespan }: CorrelationSyntax): string {
  if (extension) return extensionText(extension, timespan);
  return `${extended?.text ?? thresholdsText(thresholds)} in ${timespan}`;
}

function extensionText(extension: Extension, timespan: string): string {
  switch (extension.kind) {
    case 'new_value':
      return `not seen in ${timespan}, after learning for ${extension.learn}`;
    case 'rare': {
      const { maxShare, maxCount, min } = extension;
      const share = maxShare === undefined ? [] : [`at most ${Number((maxShare * 100).toPrecision(6))} %`];
      const count = maxCount === undefined ? [] : [`at most ${maxCount}`];
      return `in ${[...share, ...count].join(' and ')} of at least ${min} events in ${timespan}`;
    }
    case 'rate_anomaly': {
      const { score, direction, min } = extension;
      const where = { up: 'above', down: 'below', both: 'above or below' }[direction];
      return `${score} deviations or more ${where} the median of at least ${min} buckets of ${timespan}`;
    }
    case 'absence':
      return `nothing before it in ${extension.scope === undefined ? timespan : `the ${extension.scope}, ${timespan}`}`;
    case 'flow':
      return `${extension.from.join(' or ')} → ${extension.to.join(' or ')}`;
  }
}

import { isList, type Value, valueText } from '../../model/value.ts';
import { parsedValue } from '../json-value.ts';
import { type Corrections, elsewhere, type SpanSource } from './dialect.ts';
import { canonicalFinishReason, canonicalProvider } from './providers.ts';

/** Providers and reasons in words of the emitter's own; the name of a framework is no provider. */
export const ownWords: Corrections = {
  'gen_ai.provider.name': (span) => {
    const own = span.attribute('gen_ai.provider.name');
    if (typeof own !== 'string') return undefined;
    const provider = canonicalProvider(own) ?? elsewhere;
    return provider === own ? undefined : provider;
  },
  'gen_ai.response.finish_reasons': (span) => {
    const own = span.attribute('gen_ai.response.finish_reasons');
    const parsed = parsedValue(own);
    if (parsed === undefined || parsed === null) return undefined;
    const reasons = (isList(parsed) ? parsed : [parsed]).slice(0, reasonsMax).map(valueText);
    const folded = reasons.map(canonicalFinishReason);
    return isList(own as Value) && folded.every((reason, i) => reason === reasons[i]) ? undefined : folded;
  },
};

/** What a span around model calls says of their tokens is the sum of what they say themselves: it would count twice. */
export function sumsOn(condition: (span: SpanSource) => boolean): Corrections {
  return absentOn(condition, ...usage);
}

/** What does not hold on spans of this kind. */
export function absentOn(condition: (span: SpanSource) => boolean, ...names: readonly string[]): Corrections {
  return Object.fromEntries(names.map((name) => [name, (span) => (condition(span) ? null : undefined)]));
}

const usage = [
  'input_tokens',
  'output_tokens',
  'cache_read.input_tokens',
  'cache_write.input_tokens',
  'reasoning.output_tokens',
].map((name) => `gen_ai.usage.${name}`);

/** Choices of one answer: nobody asks for more. */
const reasonsMax = 128;

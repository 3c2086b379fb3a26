import { openInferenceTelling } from './stories/openinference.ts';
import { openLlmetryTelling } from './stories/openllmetry.ts';
import { otelTellings } from './stories/otel.ts';
import type { Telling } from './story.ts';

/** Every dialect tells the three stories here; a dialect whose emitter sends no spans (log events only) does not. */
export const tellings: readonly Telling[] = [...otelTellings, openInferenceTelling, openLlmetryTelling];

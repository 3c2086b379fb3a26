import { ownWords } from './corrections.ts';
import type { Dialect } from './dialect.ts';
import { exceptionType } from './readings.ts';

/**
 * OTel's own packages: canonical, but for the words in which a provider says why the model stopped.
 * https://github.com/open-telemetry/opentelemetry-python-contrib/tree/main/instrumentation-genai
 */
export const otelGenAi: Dialect = {
  name: 'otel_genai',
  older: true,
  canonical: true,
  marks: {
    scopes: [
      '@opentelemetry/instrumentation-openai',
      'opentelemetry.util.genai.*',
      'opentelemetry.instrumentation.openai_v2',
      'opentelemetry.instrumentation.google_genai',
      'opentelemetry.instrumentation.vertexai',
    ],
  },
  fields: { 'error.type': exceptionType },
  corrects: ownWords,
};

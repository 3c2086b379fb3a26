import type { SpanProcessor } from '@opentelemetry/sdk-trace';
import { loadSdk, markProcessorHandedOut } from './provider.ts';
import { runtime } from './runtime.ts';

export {
  type AgentOptions,
  agent,
  type RetrievalOptions,
  retrieval,
  session,
  type ToolOptions,
  tool,
  user,
} from './manual.ts';

export { type Status, status } from './status.ts';
export { version } from './version.ts';

/**
 * A span processor that exports to the OTLP endpoint of the environment, for a host with an OpenTelemetry SDK of its own:
 * `new NodeSDK({ spanProcessors: [theirs, spanProcessor()] })`. It also takes spans that the sampler left out, as far as
 * the SDK records them. The same instance on every call; without an OTLP exporter in the environment it does nothing.
 */
export function spanProcessor(): SpanProcessor {
  try {
    const processor = loadSdk().exportProcessor();
    if (processor) markProcessorHandedOut();
    return processor ?? inert;
  } catch (error) {
    runtime.failed('make a span processor', error);
    return inert;
  }
}

const inert: SpanProcessor = {
  onStart() {},
  onEnd() {},
  forceFlush: async () => {},
  shutdown: async () => {},
};

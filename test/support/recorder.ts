import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { type ReadableSpan, TracerProvider } from '@opentelemetry/sdk-trace';
import type { ContentMode, PackageCopy, PatchContext } from '../../instrumentation/src/patch.ts';

const require = createRequire(import.meta.url);

/** A process-wide provider that keeps every span in memory, and a patch context on it whose content mode tests may turn. */
export interface Recorder {
  readonly context: PatchContext & { contentMode: ContentMode };
  readonly failures: string[];
  /** Ended spans, oldest first. */
  spans(): ReadableSpan[];
  reset(): void;
}

export function startRecorder(): Recorder {
  const ended: ReadableSpan[] = [];
  const nothing = () => Promise.resolve();
  const keep = {
    onStart() {},
    onEnd: (span: ReadableSpan) => void ended.push(span),
    forceFlush: nothing,
    shutdown: nothing,
  };
  const provider = new TracerProvider({ spanProcessors: [keep] });
  trace.setGlobalTracerProvider(provider);
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  const failures: string[] = [];
  const patchContext = {
    tracer: () => provider.getTracer('test'),
    contentMode: 'full' as ContentMode,
    failed: (where: string, error: unknown) => void failures.push(`${where}: ${String(error)}`),
  };
  return {
    context: patchContext,
    failures,
    spans: () => [...ended],
    reset() {
      ended.length = 0;
      failures.length = 0;
      patchContext.contentMode = 'full';
    },
  };
}

/** An installed package as a patch sees it. Node's `require` gives the same instances of ES modules as `import` does. */
export function installedCopy(name: string, format: 'esm' | 'cjs'): PackageCopy {
  const directory =
    require.resolve
      .paths(name)
      ?.map((root) => `${root}/${name}`)
      .find(hasManifest) ?? '';
  const { version } = require(`${directory}/package.json`) as { version: string };
  const extensions = format === 'esm' ? ['.mjs', '.js'] : ['.cjs', '.js'];
  return {
    name,
    version,
    directory,
    format,
    load(file) {
      for (const extension of extensions) {
        try {
          return require(`${directory}/${file}${extension}`) as Record<string, unknown>;
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error;
        }
      }
      return undefined;
    },
  };
}

/** Attributes of a span as a plain object. */
export function attributesOf(span: ReadableSpan | undefined): Record<string, unknown> {
  return { ...span?.attributes };
}

/** Lets everything that is already settled run: a server ends its span after the client has its answer. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function hasManifest(directory: string): boolean {
  try {
    require.resolve(pathToFileURL(`${directory}/package.json`).pathname);
    return true;
  } catch {
    return false;
  }
}

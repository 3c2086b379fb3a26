import { installPatches } from './load/install.ts';
import { patches } from './patches/index.ts';
import { currentTracer, switchOff } from './provider.ts';
import { runtime, useTracerSource } from './runtime.ts';
import { publishStatus } from './status.ts';

/**
 * Importing this module instruments the process: `node --import @spanwarden/instrumentation/register app.mjs`, or as the
 * first line of the program by `import` or `require`. It is synchronous, acts once per process however often and from
 * however many copies it is loaded, and never throws.
 */
const mark = Symbol.for('spanwarden.register');

const host = globalThis as unknown as Record<symbol, unknown>;
if (host[mark] === undefined) {
  host[mark] = true;
  register();
}

function register(): void {
  try {
    if (process.env.OTEL_SDK_DISABLED?.trim().toLowerCase() === 'true') {
      switchOff();
      publishStatus(() => []);
      return;
    }
    useTracerSource(currentTracer);
    const copies = installPatches(patches, runtime);
    publishStatus(() => copies.hooked);
  } catch (error) {
    runtime.failed('register', error);
  }
}

import * as nodeModule from 'node:module';
import { fileURLToPath } from 'node:url';
import type { PatchContext } from '../patch.ts';
import type { Copies } from './copies.ts';

const callbackName = 'spanwarden.evaluated';
const callback = Symbol.for(callbackName);

/**
 * Whether this Node's synchronous load hooks can be trusted. Earlier ones have them but fail on some module graphs, for
 * instance on require() of an ES module that imports itself (ERR_VM_MODULE_LINK_FAILURE on 22.15).
 */
export function canWatch(version: string = process.versions.node): boolean {
  if (typeof nodeModule.registerHooks !== 'function' || process.versions.bun !== undefined) return false;
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const at = (wantedMinor: number, wantedPatch: number): boolean =>
    minor > wantedMinor || (minor === wantedMinor && patch >= wantedPatch);
  if (major === 22) return at(22, 3);
  if (major === 24) return at(11, 1);
  return major === 25 ? at(1, 0) : major > 25;
}

/**
 * From now on, every wanted file reports its exports as the last thing it does when it is evaluated: before anybody can
 * call it, in whatever order and by whichever loader, from any nested copy, and only if the application loads it at all.
 */
export function watchLoads(copies: Copies, context: PatchContext): void {
  (globalThis as unknown as Record<symbol, unknown>)[callback] = (
    url: string,
    exports: Record<string, unknown>,
  ): void => {
    try {
      copies.evaluated(pathOf(url), exports);
    } catch (error) {
      context.failed('notice a loaded file', error);
    }
  };
  nodeModule.registerHooks({
    load(url, loadContext, nextLoad) {
      const result = nextLoad(url, loadContext);
      try {
        const file = url.startsWith('file:') ? url : undefined;
        if (file === undefined || result.source == null || !copies.wanted(pathOf(file))) return result;
        const tail = reportingTail(url, result.format);
        return tail === undefined ? result : { ...result, source: textOf(result.source) + tail };
      } catch (error) {
        context.failed('watch a file', error);
        return result;
      }
    },
  });
}

/** Code after the last line of a file, so that line numbers stay; a module sees its own exports by importing itself. */
function reportingTail(url: string, format: string | null | undefined): string | undefined {
  const self = JSON.stringify(url);
  const report = `globalThis[Symbol.for('${callbackName}')]?.(${self}`;
  if (format === 'module') return `\n;import * as __spanwarden from ${self};${report},__spanwarden);\n`;
  if (format === 'commonjs') return `\n;${report},module.exports);\n`;
  return undefined;
}

function pathOf(url: string): string {
  return url.includes('?') || url.includes('#') ? '' : fileURLToPath(url);
}

function textOf(source: string | ArrayBuffer | NodeJS.TypedArray): string {
  return typeof source === 'string' ? source : Buffer.from(source as Uint8Array).toString('utf8');
}

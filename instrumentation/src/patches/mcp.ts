import type { PackageCopy, Patch, PatchContext } from '../patch.ts';
import { isRecord, type ProtocolLike } from './mcp-attributes.ts';
import { tracedRequest } from './mcp-client.ts';
import { tracedOnRequest } from './mcp-server.ts';

type Method = (this: ProtocolLike, ...args: unknown[]) => unknown;

const patchedMark = Symbol.for('spanwarden.mcp.patched');

/**
 * Model Context Protocol, SDK 1.x (`@modelcontextprotocol/sdk`) and 2.x (`…/client`, `…/server`): CLIENT spans for requests
 * sent, SERVER spans for requests answered, one trace through both. Every copy has its own `Protocol` class from which its
 * clients and servers inherit, so patching that prototype also reaches instances made before.
 */
export const mcp: Patch = {
  packages: ['@modelcontextprotocol/sdk', '@modelcontextprotocol/client', '@modelcontextprotocol/server'],
  files: ['dist/esm/shared/protocol', 'dist/cjs/shared/protocol', 'dist/index'],
  apply(copy, context) {
    const prototype = protocolPrototype(copy);
    if (!prototype) return [];
    return [hookRequest(prototype, context), hookOnRequest(prototype, context)].filter((name) => name !== undefined);
  },
};

function protocolPrototype(copy: PackageCopy): Record<string, unknown> | undefined {
  const file = copy.name === '@modelcontextprotocol/sdk' ? `dist/${copy.format}/shared/protocol` : 'dist/index';
  const Protocol = copy.load(file)?.Protocol;
  const prototype = typeof Protocol === 'function' ? Protocol.prototype : undefined;
  return isRecord(prototype) ? prototype : undefined;
}

/**
 * SDK 2.x has one inner method behind `request`, `createMessage` and the `send` that handlers get; in 1.x all of these go
 * through `request` itself.
 */
function hookRequest(prototype: Record<string, unknown>, context: PatchContext): string | undefined {
  const inner = typeof prototype._requestWithSchemaViaCodec === 'function';
  const name = inner ? '_requestWithSchemaViaCodec' : 'request';
  return hook(prototype, name, (original) => tracedRequest(original, inner ? 1 : 0, context));
}

function hookOnRequest(prototype: Record<string, unknown>, context: PatchContext): string | undefined {
  return hook(prototype, '_onrequest', (original) => tracedOnRequest(original, context));
}

/** Replaces a method once, whichever copy of this package comes first. */
function hook(
  prototype: Record<string, unknown>,
  name: string,
  wrap: (original: Method) => Method,
): string | undefined {
  const original = prototype[name];
  if (typeof original !== 'function') return undefined;
  if (!Object.hasOwn(original, patchedMark)) {
    const wrapped = wrap(original as Method);
    Object.defineProperties(wrapped, {
      name: { value: name, configurable: true },
      length: { value: original.length, configurable: true },
      [patchedMark]: { value: true },
    });
    prototype[name] = wrapped;
  }
  return `Protocol.prototype.${name}`;
}

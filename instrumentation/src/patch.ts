import type { Tracer } from '@opentelemetry/api';

/** How much of what agents say and do goes onto spans. */
export type ContentMode = 'full' | 'no_tool_content' | 'metadata_only';

/** What a patch may use; made once per process by `register`. */
export interface PatchContext {
  /** The tracer is looked up per call, so that a provider registered later by the host is used. */
  tracer(): Tracer;
  readonly contentMode: ContentMode;
  /** Reports a failure inside our own code once per place; never throws. */
  failed(where: string, error: unknown): void;
}

/** One copy of a package as found: npm may nest several versions, and ESM and CJS are separate copies. */
export interface PackageCopy {
  readonly name: string;
  readonly version: string;
  readonly directory: string;
  readonly format: 'esm' | 'cjs';
  /** Loads a file of this copy by its path inside the package without extension, e.g. `resources/responses/responses`. */
  load(file: string): Record<string, unknown> | undefined;
}

/** A wrapper of one library. `apply` must be idempotent, check shapes and leave alone what it does not know. */
export interface Patch {
  /** Package names this patch knows. */
  readonly packages: readonly string[];
  /** Patches one copy; returns what was hooked, for the status report (`[]` when the shape was unknown). */
  apply(copy: PackageCopy, context: PatchContext): readonly string[];
}

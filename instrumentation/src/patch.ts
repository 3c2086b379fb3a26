import type { Tracer } from '@opentelemetry/api';

/** How much of what agents say and do goes onto spans. */
export type ContentMode = 'full' | 'no_tool_content' | 'metadata_only';

/** What a patch may use; made once per process by `register`. */
export interface PatchContext {
  /**
   * Looked up per call, so that a provider the host registers after us is used. The first call settles which provider it
   * is: a patch whose library emits spans by itself must call it before it hands over to that library.
   */
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
  /**
   * Gives the exports of a file of this copy, by its path inside the package without extension, e.g.
   * `resources/responses/responses`; undefined when there is no such file or it is not to be loaded yet. Never throws.
   */
  load(file: string): Record<string, unknown> | undefined;
}

/** A wrapper of one library. `apply` must be idempotent, check shapes and leave alone what it does not know. */
export interface Patch {
  /** Package names this patch knows. */
  readonly packages: readonly string[];
  /**
   * The files of the package that `apply` loads, without extension. Where Node can tell us that one of them was evaluated,
   * `apply` runs then (`load` gives undefined for files the application has not loaded yet) and nothing is loaded that the
   * application does not use. A patch without this list has its packages loaded at start.
   */
  readonly files?: readonly string[];
  /** Patches one copy; returns what was hooked, for the status report (`[]` when the shape was unknown). */
  apply(copy: PackageCopy, context: PatchContext): readonly string[];
}

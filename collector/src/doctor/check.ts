/** `skipped`: what it needs failed before, or is not there. */
export type CheckResult = 'ok' | 'warning' | 'failed' | 'skipped';

/** One line of what the doctor found. */
export interface Check {
  readonly name: string;
  readonly result: CheckResult;
  /** What was seen. */
  readonly seen: string;
  /** What to do when it is not ok. */
  readonly advice?: string;
}

export function ok(name: string, seen: string): Check {
  return { name, result: 'ok', seen };
}

export function warning(name: string, seen: string, advice: string): Check {
  return { name, result: 'warning', seen, advice };
}

export function failed(name: string, seen: string, advice: string): Check {
  return { name, result: 'failed', seen, advice };
}

export function skipped(name: string, seen: string): Check {
  return { name, result: 'skipped', seen };
}

/** The first line of what was thrown, with the network's own code where there is one. */
export function reasonOf(error: unknown): string {
  const { cause, message } = (error ?? {}) as { cause?: { code?: unknown; message?: unknown }; message?: unknown };
  const said = cause?.code ?? cause?.message ?? message ?? error;
  return String(said).split('\n', 1)[0]!.slice(0, 200);
}

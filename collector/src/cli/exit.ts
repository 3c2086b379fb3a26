import { CommanderError } from 'commander';
import { type Problem, SpanwardenError } from '../model/errors.ts';

/** What the process ends with. */
export const exitCodes = {
  ok: 0,
  /** The command ran and what it was asked for failed. */
  failure: 1,
  /** The command line, the config or a rule file has to be mended first. */
  usage: 2,
  /** ClickHouse does not answer. */
  unreachable: 3,
} as const;

/** Thrown by a command to end with a code after it has said all there is to say. */
export class CommandExit extends Error {
  override readonly name = 'CommandExit';
  readonly code: number;
  /** Do not wait for what is still open: a stop that took too long, or a second Ctrl-C. */
  readonly immediately: boolean;

  constructor(code: number, options: { readonly immediately?: boolean } = {}) {
    super(`exit ${code}`);
    this.code = code;
    this.immediately = options.immediately ?? false;
  }
}

/** The exit code of whatever a command threw. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof CommandExit) return error.code;
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  if (error instanceof SpanwardenError && error.problems.every(isUnreachable)) return exitCodes.unreachable;
  if (error instanceof SpanwardenError) return error.problems.every(isForAuthors) ? exitCodes.usage : exitCodes.failure;
  return exitCodes.failure;
}

function isForAuthors({ code }: Problem): boolean {
  return (
    code.startsWith('SW_CONFIG_') ||
    code.startsWith('SW_RULE_') ||
    code === 'SW_EXPORT_NAME' ||
    code === 'SW_GRAFANA_INIT'
  );
}

function isUnreachable({ code }: Problem): boolean {
  return code === 'SW_CLICKHOUSE_UNREACHABLE';
}

/**
 * Every error a user can see has a stable code here, with the HTTP status it is answered with (0 for errors that never
 * travel over HTTP). docs/errors.md lists the same codes; a test holds both together.
 */
export const errorCodes = {
  SW_CONFIG_FILE: 0,
  SW_CONFIG_YAML: 0,
  SW_CONFIG_KEY: 0,
  SW_CONFIG_VALUE: 0,
  SW_CONFIG_ENV: 0,
  SW_RULE_FILE: 0,
  SW_RULE_YAML: 0,
  SW_RULE_KEY: 0,
  SW_RULE_VALUE: 0,
  SW_RULE_CONDITION: 0,
  SW_RULE_MODIFIER: 0,
  SW_RULE_REGEX: 0,
  SW_RULE_FIELD: 0,
  SW_RULE_TEST: 0,
  SW_RULE_EXPIRED: 0,
  SW_OTLP_PROTOBUF: 400,
  SW_OTLP_JSON: 400,
  SW_OTLP_DEPTH: 400,
  SW_OTLP_COMPRESSION: 400,
  SW_HTTP_UNAUTHENTICATED: 401,
  SW_HTTP_NOT_FOUND: 404,
  SW_HTTP_METHOD: 405,
  SW_HTTP_BODY_TOO_LARGE: 413,
  SW_HTTP_CONTENT_TYPE: 415,
  SW_HTTP_CONTENT_ENCODING: 415,
  SW_RECEIVE_BUSY: 503,
  SW_RECEIVE_MEMORY: 503,
  SW_RECEIVE_RATE: 429,
  SW_SPOOL_FULL: 503,
  SW_SPOOL_WRITE: 503,
  SW_SHUTTING_DOWN: 503,
  SW_CLICKHOUSE_START: 0,
  SW_CLICKHOUSE_UNREACHABLE: 0,
  SW_DATA_DIR: 0,
  SW_LISTEN: 0,
  SW_TOKEN_FILE: 0,
  SW_TLS_FILE: 0,
  SW_EXPORT_OPEN: 0,
  SW_EXPORT_NAME: 0,
  SW_GRAFANA_INIT: 0,
} as const;

export type ErrorCode = keyof typeof errorCodes;

export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

export interface Problem {
  readonly code: ErrorCode;
  /** What is wrong, one sentence. */
  readonly message: string;
  /** What to write or do instead, one sentence. */
  readonly advice?: string;
  readonly position?: Position;
}

/** One or more problems a person has to fix; thrown only at start-up and in commands, never on input. */
export class SpanwardenError extends Error {
  override readonly name = 'SpanwardenError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[] | Problem) {
    const list: readonly Problem[] = Array.isArray(problems) ? problems : [problems as Problem];
    super(list.map(problemText).join('\n'));
    this.problems = list;
  }
}

/** `file:line:column: message (CODE)` and, on a line of its own, the advice. */
export function problemText(problem: Problem): string {
  const at = problem.position;
  const where = at ? `${at.file}:${at.line}:${at.column}: ` : '';
  const advice = problem.advice ? `\n  ${problem.advice}` : '';
  return `${where}${problem.message} (${problem.code})${advice}`;
}

/** What a failed statement means for what it carried. */
export type StoreFailure =
  /** Another try may work: network, time-out, overload, a bound that time heals. */
  | { readonly kind: 'retryable'; readonly reason: string }
  /** The rows themselves are refused and always will be. */
  | { readonly kind: 'permanent'; readonly reason: string }
  /** A person has to change something: credentials, grants, a missing table, a setting. The rows are fine. */
  | { readonly kind: 'config'; readonly reason: string };

/**
 * Classifies what @clickhouse/client rejects with, once, at the edge. An unknown error is retryable, because a wrong retry
 * costs time and a wrong dead letter costs data.
 *
 * Codes: https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp
 */
export function classifyError(error: unknown): StoreFailure {
  const reason = reasonOf(error);
  const { code: named } = (error ?? {}) as { code?: unknown };
  const code = typeof named === 'string' ? Number(named) : Number.NaN;
  // One number stands for two things: too many parts heal by merging, too many partitions in one INSERT do not.
  if (code === 252) return { kind: /partitions for single INSERT/i.test(reason) ? 'permanent' : 'retryable', reason };
  if (permanentCodes.has(code)) return { kind: 'permanent', reason };
  if (configCodes.has(code)) return { kind: 'config', reason };
  return { kind: 'retryable', reason };
}

/** Codes that say that the bytes of an INSERT cannot be rows of its table. */
const permanentCodes = new Set([
  6, // CANNOT_PARSE_TEXT
  27, // CANNOT_PARSE_INPUT_ASSERTION_FAILED
  32, // ATTEMPT_TO_READ_AFTER_EOF
  33, // CANNOT_READ_ALL_DATA
  38, // CANNOT_PARSE_DATE
  41, // CANNOT_PARSE_DATETIME
  53, // TYPE_MISMATCH
  62, // SYNTAX_ERROR
  69, // ARGUMENT_OUT_OF_BOUND
  70, // CANNOT_CONVERT_TYPE
  72, // CANNOT_PARSE_NUMBER
  117, // INCORRECT_DATA
  128, // TOO_LARGE_ARRAY_SIZE
  131, // TOO_LARGE_STRING_SIZE
  190, // SIZES_OF_ARRAYS_DONT_MATCH
  321, // VALUE_IS_OUT_OF_RANGE_OF_DATA_TYPE
  407, // DECIMAL_OVERFLOW
  469, // VIOLATED_CONSTRAINT
]);

const configCodes = new Set([
  8, // THERE_IS_NO_COLUMN
  16, // NO_SUCH_COLUMN_IN_TABLE
  36, // BAD_ARGUMENTS
  44, // ILLEGAL_COLUMN
  47, // UNKNOWN_IDENTIFIER
  48, // NOT_IMPLEMENTED
  56, // UNKNOWN_STORAGE
  60, // UNKNOWN_TABLE
  80, // INCORRECT_QUERY
  81, // UNKNOWN_DATABASE
  115, // UNKNOWN_SETTING
  164, // READONLY
  192, // UNKNOWN_USER
  193, // WRONG_PASSWORD
  194, // REQUIRED_PASSWORD
  195, // IP_ADDRESS_NOT_ALLOWED
  291, // DATABASE_ACCESS_DENIED
  344, // SUPPORT_IS_DISABLED
  452, // SETTING_CONSTRAINT_VIOLATION
  497, // ACCESS_DENIED
  516, // AUTHENTICATION_FAILED
]);

const reasonCharsMax = 300;

/** The first line with the code in front; ClickHouse's messages may quote data, so they are kept short. */
function reasonOf(error: unknown): string {
  const { message, code, type } = (error ?? {}) as { message?: unknown; code?: unknown; type?: unknown };
  const text = typeof message === 'string' && message !== '' ? message : `thrown: ${typeof error}`;
  const named = [code, type].filter((part) => typeof part === 'string' && part !== '').join(' ');
  const [line = ''] = `${named === '' ? '' : `${named}: `}${text}`.split('\n', 1);
  return line.slice(0, reasonCharsMax);
}

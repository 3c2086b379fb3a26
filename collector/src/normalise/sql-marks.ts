import type { SqlToken } from './sql-tokens.ts';

/** What is special about a statement. */
export type SqlMark =
  | 'stacked'
  | 'tautology'
  | 'union'
  | 'union_padding'
  | 'trailing_comment'
  | 'schema_tables'
  | 'credential_tables'
  | 'no_where'
  | 'file_access'
  | 'command_execution'
  | 'network_access'
  | 'time_delay'
  | 'privileges'
  | 'injection';

type Marks = Set<SqlMark>;

/** Functions and clauses that leave the database. */
export function markFunctions(tokens: readonly SqlToken[], words: ReadonlySet<string>, marks: Marks): void {
  for (const [mark, names] of Object.entries(tellingWords)) {
    if (names.some((name) => words.has(name) && (clauses.has(name) || isCalled(tokens, name))))
      marks.add(mark as SqlMark);
  }
  if (words.has('waitfor') && words.has('delay')) marks.add('time_delay');
  markSources(tokens, marks);
  if (words.has('load') && words.has('infile')) marks.add('file_access');
  if (tokens[0]?.text !== 'copy') return;
  if (words.has('program')) marks.add('command_execution');
  else if (
    tokens.some(
      ({ kind, text }, at) => kind === 'text' && /^(?:from|to)$/.test(tokens[at - 1]?.text ?? '') && text !== '',
    )
  )
    marks.add('file_access');
}

/** Files and addresses that a query reads as if they were tables: `from read_csv('…')`, `from url('…')`, `from '/etc/passwd'`. */
function markSources(tokens: readonly SqlToken[], marks: Marks): void {
  for (let at = 1; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    const before = tokens[at - 1]!.text;
    if (before !== 'from' && before !== 'join' && before !== 'function') continue;
    const isFunction = isSign(tokens[at + 1], '(');
    if (kind === 'text' && before !== 'function' && /[./]/.test(text))
      marks.add(text.includes('://') ? 'network_access' : 'file_access');
    else if (kind === 'word' && isFunction && remoteSources.has(text)) marks.add('network_access');
    else if (kind === 'word' && isFunction && fileSources.test(text))
      marks.add(/:\/\//.test(tokens[at + 2]?.text ?? '') ? 'network_access' : 'file_access');
    else if (kind === 'word' && isFunction && text === 'executable') marks.add('command_execution');
  }
}

const remoteSources = new Set(
  'url urlcluster remote remotesecure s3 s3cluster gcs azureblobstorage hdfs mongodb iceberg deltalake hudi'.split(' '),
);
const fileSources =
  /^(?:file|filecluster|glob|read_(?:csv|csv_auto|parquet|json|json_auto|ndjson|text|blob)|parquet_scan|sniff_csv)$/;

const tellingWords: Readonly<Partial<Record<SqlMark, readonly string[]>>> = {
  file_access:
    'outfile dumpfile load_file pg_read_file pg_read_binary_file pg_ls_dir lo_import lo_export utl_file readfile writefile'.split(
      ' ',
    ),
  command_execution:
    'xp_cmdshell sp_oacreate sp_oamethod sys_exec sys_eval dbms_scheduler plpython3u plperlu load_extension'.split(' '),
  network_access:
    'dblink dblink_connect utl_http httpuritype utl_inaddr dbms_ldap openrowset opendatasource xp_dirtree http_get http_post'.split(
      ' ',
    ),
  time_delay: ['pg_sleep', 'sleep', 'benchmark', 'dbms_lock', 'dbms_pipe', 'randomblob'],
};

/** Words that tell without being called. */
const clauses = new Set(
  'outfile dumpfile xp_cmdshell xp_dirtree sp_oacreate sp_oamethod plpython3u plperlu'.split(' '),
);

function isCalled(tokens: readonly SqlToken[], name: string): boolean {
  return tokens.some(({ text }, at) => text === name && (isSign(tokens[at + 1], '(') || isSign(tokens[at + 1], '.')));
}

/** `or 1=1` and its like, and UNION. */
export function markConditions(tokens: readonly SqlToken[], marks: Marks): void {
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    if ((kind === 'word' && text === 'or') || (kind === 'sign' && text === '||')) {
      if (isAlwaysTrue(tokens, at + 1)) marks.add('tautology');
    } else if (kind === 'word' && text === 'union') {
      marks.add('union');
      if (isPadding(tokens, at + 1)) marks.add('union_padding');
    }
  }
}

function isAlwaysTrue(tokens: readonly SqlToken[], start: number): boolean {
  let at = start;
  while (isSign(tokens[at], '(') || tokens[at]?.text === 'not') at++;
  const [left, sign, right] = [tokens[at], tokens[at + 1], tokens[at + 2]];
  if (left === undefined) return false;
  const alone =
    sign === undefined ||
    isSign(sign, ')') ||
    (sign.kind === 'word' && /^(?:and|or|limit|order|group|union)$/.test(sign.text));
  if (alone) return left.text === 'true' || (left.kind === 'number' && left.text !== '0');
  if (right === undefined || !isConstant(left) || !isConstant(right)) return false;
  const [a, b] = [left.text.toLowerCase(), right.text.toLowerCase()];
  if (sign.text === '=' || sign.text === '==' || sign.text === '<=>' || sign.text === 'like' || sign.text === 'is')
    return a === b;
  return (
    /^(?:<>|!=|<|>|<=|>=)$/.test(sign.text) &&
    (left.kind === 'number') === (right.kind === 'number') &&
    compares(a, sign.text, b)
  );
}

function isConstant(token: SqlToken): boolean {
  return token.kind === 'number' || token.kind === 'text' || (token.kind === 'name' && token.text.length < 3);
}

function compares(a: string, sign: string, b: string): boolean {
  const [left, right] = [Number(a), Number(b)];
  const order = Number.isNaN(left) || Number.isNaN(right) ? (a < b ? -1 : a > b ? 1 : 0) : left - right;
  if (sign === '<>' || sign === '!=') return order !== 0;
  return sign.startsWith('<')
    ? order < 0 || (order === 0 && sign === '<=')
    : order > 0 || (order === 0 && sign === '>=');
}

/** `union select null, null, …` and `union select 1, 2, …`: columns are being counted. */
function isPadding(tokens: readonly SqlToken[], start: number): boolean {
  let at = start;
  while (tokens[at]?.kind === 'word' && /^(?:all|distinct|select)$/.test(tokens[at]!.text)) at++;
  let columns = 0;
  for (; at < tokens.length; at += 2) {
    const token = tokens[at]!;
    if (token.kind !== 'number' && token.text !== 'null') break;
    columns++;
    if (!isSign(tokens[at + 1], ',')) break;
  }
  return columns >= 2;
}

/** A comment at the very end that cuts off what would have followed, as `' or 1=1 --` does. */
export function endsInComment(tokens: readonly SqlToken[]): boolean {
  const last = tokens.at(-1)!;
  return last.kind === 'comment' && !last.text.startsWith('/*') && /^(?:--|#)[\s+-]*$/.test(last.text);
}

export function isSign(token: SqlToken | undefined, text: string): boolean {
  return token?.kind === 'sign' && token.text === text;
}

import { endsInComment, isSign, markConditions, markFunctions, type SqlMark } from './sql-marks.ts';
import { type SqlToken, sqlTokens } from './sql-tokens.ts';

export type { SqlMark };

/** What a SQL text does: statement kinds and tables in lower case, and what is special about it. */
export interface SqlFacts {
  readonly kinds: readonly string[];
  readonly tables: readonly string[];
  readonly marks: readonly SqlMark[];
}

const tablesMax = 64;

/**
 * Statement kinds, tables and marks, from tokens and not from a grammar: agents speak many dialects at once, attacks are
 * often no valid SQL at all, and what counts must also come out of half a statement. Linear in the text; see `sqlTokens` for
 * what is looked at.
 */
export function sqlFacts(sql: string): SqlFacts {
  return factsOf(sql, 2);
}

/** @param layers how many texts within texts are read as statements, where one is run: `exec('drop table t')` */
function factsOf(sql: string, layers: number): SqlFacts {
  const all = sqlTokens(sql);
  const kinds = new Set<string>();
  const tables = new Set<string>();
  const marks = new Set<SqlMark>();
  const statements = statementsOf(all.filter(({ kind }) => kind !== 'comment'));
  for (const statement of statements) {
    readStatement(statement, kinds, tables, marks);
    const own = [verbOf(statement) ?? '', ...blockVerbs(statement)];
    if (layers === 0 || !own.some((verb) => runsText.has(verb))) continue;
    for (const { text } of statement.filter(({ kind }) => kind === 'text').slice(0, 16)) {
      const inner = factsOf(text, layers - 1);
      for (const kind of inner.kinds) kinds.add(kind);
      for (const table of inner.tables) tables.add(table);
      for (const mark of inner.marks) marks.add(mark);
    }
  }
  if (statements.filter((each) => each[0]!.kind === 'word' && each[0]!.text in verbs).length > 1) marks.add('stacked');
  if (all.length > 1 && endsInComment(all)) marks.add('trailing_comment');
  return { kinds: [...kinds], tables: [...tables].slice(0, tablesMax), marks: [...marks] };
}

/**
 * Whether a text closes a quote that it did not open and goes on with SQL that changes the statement around it:
 * `x' or '1'='1`, `1' union select …`, `x'; drop table t --`.
 */
export function isInjection(text: string): boolean {
  if (cutsOff.test(text)) return true;
  if (!injectionHint.test(text)) return false;
  const { marks } = sqlFacts(`select '${text}`);
  return marks.some(
    (mark) => mark === 'tautology' || mark === 'stacked' || mark === 'union_padding' || mark === 'time_delay',
  );
}

/** `admin'--`: one word, and what would have followed it is a comment. */
const cutsOff = /^\s{0,8}[^\s']{0,64}'\s{0,8}\)?\s{0,8}(?:--|#|\/\*)[\s+-]{0,8}$/;
/** What stands before the quote is a value and not prose: three words at most. */
const injectionHint = /^\s{0,8}(?:[^\s']{1,64}\s{1,8}){0,2}[^\s']{0,64}'\s{0,8}\)?\s{0,8}(?:or|and|union|;|\|\|)/i;

/**
 * Whether a text is SQL and not prose: a statement's verb with the word that must follow it somewhere. Texts from arguments
 * without a telling name pass through here first.
 */
export function looksLikeSql(text: string): boolean {
  return statementStart.test(text);
}

const statementStart =
  /^[\s(;]*(?:(?:--[^\n]{0,500}\n|\/\*[^*]{0,500}\*\/)\s*){0,3}(?:select\s+(?:distinct\s+|all\s+|top\s+\d+\s+)?(?=[^\s,]{0,200}(?:[*(.,]|\s+(?:as|from)\s|\s*[,|+(/]))[\s\S]{1,2000}?(?<=[\s)*])from\s+(?!(?:the|an?|my|your|our|this|that|these|those|all|each|me|us|you|them)\b)[\w"`[(]|select\s+(?:\d|['@]|\w+\s*\()|insert\s+(?:\w+\s+){0,3}into\s|update\s+(?:only\s+)?["`[\w.\]]{1,128}\s+(?:as\s+)?(?:\w+\s+)?set\s|delete\s+from\s|replace\s+into\s|merge\s+into\s|with\s+(?:recursive\s+)?["`[\w\]]{1,128}\s*(?:\([^)]{0,500}\)\s*)?as\s+(?:not\s+)?(?:materialized\s+)?\(|(?:drop|create|alter|truncate)\s+(?:or\s+replace\s+)?(?:temp(?:orary)?\s+|unique\s+|materialized\s+|external\s+|global\s+|local\s+|unlogged\s+)*(?:table|database|schema|index|view|user|role|function|procedure|trigger|sequence|extension|type)\b|truncate\s+[\w".`]{1,128}\s*(?:;|$)|(?:grant|revoke)\s[\s\S]{1,500}?\s(?:on|to|from)\s|copy\s+[\w".(][\s\S]{0,2000}?\s(?:from|to)\s|load\s+data\s|exec(?:ute)?\s+(?:\w+\.){0,3}(?:xp|sp)_\w+|call\s+[\w.]+\s*\(|pragma\s+\w+|attach\s+(?:database\s+)?'|vacuum\b\s*(?:;|$|full|analyze)|explain\s+(?:analyze\s+)?(?:select|insert|update|delete|with)\b)/i;

const verbs: Readonly<Record<string, string>> = Object.assign(
  Object.create(null),
  Object.fromEntries(
    'select insert update delete replace merge upsert drop truncate alter create grant revoke copy load call exec set show describe use attach detach vacuum pragma begin commit rollback lock rename kill shutdown backup restore handler do declare waitfor prepare'
      .split(' ')
      .map((verb) => [verb, verb]),
  ),
  { execute: 'exec', desc: 'describe', start: 'begin', values: 'select', table: 'select' },
);

function statementsOf(tokens: readonly SqlToken[]): SqlToken[][] {
  const statements: SqlToken[][] = [[]];
  for (const token of tokens) {
    if (token.kind === 'sign' && token.text === ';') statements.push([]);
    else statements.at(-1)!.push(token);
  }
  return statements.filter((statement) => statement.length > 0);
}

/** Statements that run what a text says. */
const runsText = new Set(['exec', 'do', 'prepare']);

type Kinds = Set<string>;
type Marks = Set<SqlMark>;

function readStatement(tokens: readonly SqlToken[], kinds: Kinds, tables: Set<string>, marks: Marks): void {
  const verb = verbOf(tokens);
  if (verb !== undefined) kinds.add(verb);
  for (const inner of blockVerbs(tokens)) kinds.add(inner);
  if (verb === 'grant' || verb === 'revoke') marks.add('privileges');
  const own = tablesOf(tokens, kinds);
  for (const table of own) {
    tables.add(table);
    if (credentialTables.test(table)) marks.add('credential_tables');
    if (schemaTables.test(table)) marks.add('schema_tables');
  }
  const words = new Set(tokens.flatMap(({ kind, text }) => (kind === 'word' ? [text] : [])));
  if ((verb === 'update' || verb === 'delete') && !words.has('where') && !words.has('limit')) marks.add('no_where');
  if ((verb === 'alter' || verb === 'create') && words.has('superuser')) marks.add('privileges');
  markFunctions(tokens, words, marks);
  markConditions(tokens, marks);
}

/** The statement's verb; behind WITH the first outside of its parentheses. */
function verbOf(tokens: readonly SqlToken[]): string | undefined {
  let depth = 0;
  // DuckDB and ClickHouse may leave out the SELECT.
  if (tokens[0]?.kind === 'word' && tokens[0].text === 'from') return 'select';
  for (const { kind, text } of tokens) {
    if (kind === 'sign' && text === '(') depth++;
    else if (kind === 'sign' && text === ')') depth--;
    else if (kind !== 'word' || prefixes.has(text)) continue;
    else if (tokens[0]!.text !== 'with' || (depth === 0 && text in verbs)) return verbs[text];
  }
  return undefined;
}

/** The verbs of statements inside of a procedure: `if … drop`, `begin delete … end`, `prepare p as select`. */
function blockVerbs(tokens: readonly SqlToken[]): string[] {
  const first = tokens[0]!.text;
  if (!blocks.has(first)) return [];
  const found: string[] = [];
  let depth = 0;
  tokens.forEach(({ kind, text }, at) => {
    if (kind === 'sign' && text === '(') depth++;
    else if (kind === 'sign' && text === ')') depth--;
    else if (depth === 0 && at > 0 && kind === 'word' && blockStatements.has(text)) {
      const before = tokens[at - 1]!;
      if (isSign(before, ')') || blockWords.has(before.text)) found.push(verbs[text]!);
    }
  });
  return found;
}

const blocks = new Set(['if', 'while', 'for', 'begin', 'declare', 'prepare', 'then', 'else', 'loop']);
const blockWords = new Set(['begin', 'then', 'else', 'loop', 'as', 'end', 'do']);
const blockStatements = new Set(
  'select insert update delete merge drop truncate alter create grant revoke exec execute copy'.split(' '),
);

/** What may stand before the verb. */
const prefixes = new Set(['explain', 'analyze', 'analyse', 'verbose', 'with', 'recursive', 'query', 'plan']);

const schemaTables =
  /^(?:information_schema|pg_catalog|performance_schema|sys|sysibm|dba_\w+|all_(?:tables|tab_columns|users)|user_(?:tables|tab_columns))(?:\.|$)|(?:^|\.)(?:sqlite_(?:master|schema|temp_master)|pg_(?:tables|class|attribute|namespace|proc|database|views|roles|user|stat_activity)|sysobjects|syscolumns|sysdatabases|systables)$/;
const credentialTables =
  /(?:^|\.)(?:pg_(?:shadow|authid|user_mapping|user_mappings|hba_file_rules)|syslogins|sql_logins|server_principals|dba_users|master_key)$|^(?:mysql\.(?:user|db)|sys\.user\$|master\.\.?syslogins)$/;

/**
 * Names of tables: what follows FROM, JOIN, INTO, UPDATE and TABLE, also in lists. Names that a WITH brings in are none, nor is what
 * follows the FROM inside `extract(year from x)` and its like.
 */
function tablesOf(tokens: readonly SqlToken[], kinds: Kinds): Set<string> {
  const tables = new Set<string>();
  const common = new Set<string>();
  const functions: string[] = [];
  const lists: boolean[] = [];
  let inList = false;
  for (let at = 0; at < tokens.length; at++) {
    const { kind, text } = tokens[at]!;
    if (kind === 'sign') {
      if (text === '(') {
        functions.push(tokens[at - 1]?.kind === 'word' ? tokens[at - 1]!.text : '');
        lists.push(inList);
        inList = inList && isGroup(tokens, at);
        if (inList) at = takeTable(tokens, at + 1, tables);
      } else if (text === ')') {
        functions.pop();
        inList = lists.pop() ?? false;
      } else if (text === ',' && inList) at = takeTable(tokens, at + 1, tables);
      continue;
    }
    if (kind !== 'word') continue;
    if (text === 'as' && isSign(tokens[at + 1], '(')) common.add(tokens[at - 1]?.text.toLowerCase() ?? '');
    if (isSign(tokens[at - 1], '(') && changes.has(text)) kinds.add(verbs[text]!);
    if (!introducesTable(tokens, at, functions)) {
      if (endsList.has(text)) inList = false;
      continue;
    }
    inList = text === 'table' ? listsTables.has(tokens[0]!.text) : opensList.has(text);
    at = takeTable(tokens, at + 1, tables);
  }
  for (const name of common) tables.delete(name);
  return tables;
}

const opensList = new Set(['from', 'using', 'update', 'truncate', 'join']);
const listsTables = new Set(['drop', 'truncate', 'lock']);

/** Parentheses around tables that are joined, and not around a query or what a function is given. */
function isGroup(tokens: readonly SqlToken[], at: number): boolean {
  const before = tokens[at - 1];
  const next = tokens[at + 1];
  const isOpen = before?.text === 'from' || before?.text === 'join' || isSign(before, '(') || isSign(before, ',');
  return isOpen && (isSign(next, '(') || (isName(next) && !queries.has(next!.text)));
}

const queries = new Set(['select', 'with', 'values', 'table', 'from', 'show', 'describe']);

const changes = new Set(['insert', 'update', 'delete', 'merge']);
const endsList = new Set([
  'where',
  'set',
  'values',
  'select',
  'on',
  'group',
  'order',
  'having',
  'union',
  'limit',
  'returning',
]);
const fromFunctions = new Set(['extract', 'substring', 'trim', 'overlay', 'position', 'substr']);

function introducesTable(tokens: readonly SqlToken[], at: number, functions: readonly string[]): boolean {
  const { text } = tokens[at]!;
  const before = tokens[at - 1]?.text.toLowerCase();
  switch (text) {
    case 'from':
      return before !== 'distinct'
        ? !fromFunctions.has(functions.at(-1) ?? '')
        : !/^(?:is|not)$/.test(tokens[at - 2]?.text ?? '');
    case 'join':
    case 'into':
    case 'references':
    case 'describe':
      return true;
    case 'update':
      return before === undefined || before === '(' || before === 'analyze' || before === 'explain' || before === ')';
    case 'table':
      return true;
    case 'copy':
    case 'truncate':
    case 'attach':
      return at === 0 && tokens[at + 1]?.text.toLowerCase() !== 'table';
    default:
      return false;
  }
}

const beforeName = new Set([
  'if',
  'not',
  'exists',
  'only',
  'lateral',
  'table',
  'low_priority',
  'ignore',
  'concurrently',
  'database',
]);

/** Takes the dotted name at a place, if there is one; gives the place of its last token. */
function takeTable(tokens: readonly SqlToken[], start: number, tables: Set<string>): number {
  // ClickHouse writes to what a function names.
  if (tokens[start]?.text === 'function') return start;
  let at = start;
  while (tokens[at]?.kind === 'word' && beforeName.has(tokens[at]!.text)) at++;
  const parts: string[] = [];
  while (isName(tokens[at])) {
    parts.push(tokens[at]!.text.toLowerCase());
    if (!isSign(tokens[at + 1], '.')) break;
    at += isSign(tokens[at + 2], '.') ? 3 : 2;
  }
  if (parts.length === 0) return start - 1;
  if (!isSign(tokens[at + 1], '(') || tokens[start - 1]?.text === 'into' || tokens[start - 1]?.text === 'table') {
    if (!notTables.has(parts[0]!)) tables.add(parts.join('.').slice(0, 256));
  }
  return at;
}

const notTables = new Set([
  'select',
  'outfile',
  'dumpfile',
  'unnest',
  'values',
  'program',
  'stdin',
  'stdout',
  'dual',
  'set',
]);

function isName(token: SqlToken | undefined): boolean {
  return token !== undefined && (token.kind === 'name' || (token.kind === 'word' && !endsList.has(token.text)));
}

/** A token of SQL. Words and operators are in lower case; `name` is a quoted identifier, without its quotes. */
export interface SqlToken {
  readonly kind: 'word' | 'name' | 'text' | 'number' | 'sign' | 'comment';
  readonly text: string;
}

/** Longest statement that is looked at, and its tokens; what stands behind is not. */
const sqlCharsMax = 65_536;
const tokensMax = 8192;

/**
 * The tokens of SQL in the dialects agents meet: standard quotes, MySQL's backticks, SQL Server's brackets, PostgreSQL's dollar
 * quotes; `--`, `#` and nested block comments. The content of MySQL's executable comments, which begin with
 * `/*!`, counts as code, because the server runs it. One pass, no backtracking.
 */
export function sqlTokens(sql: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  const text = sql.slice(0, sqlCharsMax);
  pattern.lastIndex = 0;
  for (let at = 0; at < text.length && tokens.length < tokensMax; ) {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) break;
    at = pattern.lastIndex;
    const [found] = match;
    if (match.groups!.block !== undefined) {
      at = blockEnd(text, match.index);
      tokens.push({ kind: 'comment', text: text.slice(pattern.lastIndex - 2, at) });
    } else if (match.groups!.dollar !== undefined) {
      const end = text.indexOf(found, at);
      tokens.push({ kind: 'text', text: text.slice(at, end < 0 ? text.length : end) });
      at = end < 0 ? text.length : end + found.length;
    } else if (match.groups!.quote !== undefined) {
      at = quoteEnd(text, at, closing[found.at(-1)!]!);
      tokens.push({
        kind: found.endsWith("'") ? 'text' : 'name',
        text: text.slice(match.index + found.length, at - 1),
      });
    } else if (match.groups!.executable === undefined) {
      tokens.push(plainToken(match, found));
    }
  }
  return tokens;
}

// Sticky, so that each token begins where the last one ended; alternatives begin with different characters.
const pattern =
  /\s*(?:(?<executable>\/\*!\d{0,6}|\*\/)|(?<block>\/\*)|(?<comment>--[^\n]*|#(?!>)[^\n]*)|(?<dollar>\$(?:[a-z_]\w{0,30})?\$)|(?<quote>[en]?'|"|`|\[(?=[a-z_]))|(?<number>\d[\w.]*)|(?<word>[a-z_@\u0080-\uffff][\w$@\u0080-\uffff]*)|(?<sign>[<>!=:|&]{1,3}|[^\s]))/iy;

const closing: Readonly<Record<string, string>> = { "'": "'", '"': '"', '`': '`', '[': ']' };

function plainToken(match: RegExpExecArray, found: string): SqlToken {
  const text = found.trimStart();
  if (match.groups!.comment !== undefined) return { kind: 'comment', text };
  if (match.groups!.number !== undefined) return { kind: 'number', text };
  return { kind: match.groups!.word !== undefined ? 'word' : 'sign', text: text.toLowerCase() };
}

/** Behind the closing quote; a doubled one stands for itself. An open end takes the rest. */
function quoteEnd(text: string, from: number, quote: string): number {
  for (let at = text.indexOf(quote, from); at >= 0; at = text.indexOf(quote, at + 2)) {
    if (text[at + 1] !== quote) return at + 1;
  }
  return text.length + 1;
}

function blockEnd(text: string, from: number): number {
  let depth = 0;
  blockEdge.lastIndex = from;
  for (let match = blockEdge.exec(text); match !== null; match = blockEdge.exec(text)) {
    depth += match[0] === '/*' ? 1 : -1;
    if (depth === 0) return blockEdge.lastIndex;
  }
  return text.length;
}

const blockEdge = /\/\*|\*\//g;

import assert from 'node:assert/strict';

// Readers of CEF and LEEF written from the vendors' grammars, not from our writers: strict, so that what is wrong fails.

export interface CefRecord {
  readonly header: readonly string[];
  readonly extension: ReadonlyMap<string, string>;
}

/**
 * CEF as in "Implementing ArcSight Common Event Format": seven header fields end in an unescaped `|`; in the extension an unescaped `=` ends
 * a key, and the key begins after the space before it.
 */
export function parseCef(line: string): CefRecord {
  const header: string[] = [];
  let at = 0;
  let field = '';
  while (header.length < 7) {
    assert.ok(at < line.length, `the header ends after ${header.length} fields`);
    const character = line[at]!;
    if (character === '\\') {
      assert.match(line[at + 1] ?? '', /[\\|]/, `escape of ${line[at + 1]} in the header`);
      field += line[at + 1];
      at += 1;
    } else if (character === '|') {
      header.push(field);
      field = '';
    } else {
      assert.notEqual(character, '\n');
      field += character;
    }
    at += 1;
  }
  return { header, extension: parseExtension(line.slice(at)) };
}

function parseExtension(text: string): Map<string, string> {
  const tokens = [...text.matchAll(/\\[\s\S]|[^\\]/gu)].map(([token]) => token);
  const equals = tokens.flatMap((token, at) => (token === '=' ? [at] : []));
  const found = new Map<string, string>();
  const keyStarts = equals.map((at) => tokens.lastIndexOf(' ', at) + 1);
  for (const [index, at] of equals.entries()) {
    const key = tokens.slice(keyStarts[index], at).join('');
    assert.match(key, /^[A-Za-z0-9_]+$/);
    assert.ok(!found.has(key), `the key ${key} twice`);
    const end = index + 1 < equals.length ? keyStarts[index + 1]! - 1 : tokens.length;
    found.set(
      key,
      tokens
        .slice(at + 1, end)
        .map(unescapeToken)
        .join(''),
    );
  }
  return found;
}

function unescapeToken(token: string): string {
  if (token.length === 1 || !token.startsWith('\\')) return token;
  const meant = { '\\\\': '\\', '\\=': '=', '\\n': '\n', '\\r': '\r' }[token];
  assert.ok(meant !== undefined, `escape ${token} in the extension`);
  return meant;
}

/** LEEF 2.0: five header fields and the delimiter, each ended by `|`; then `key=value` between delimiters. Nothing is escaped. */
export function parseLeef(line: string): CefRecord {
  const header = line.split('|', 6);
  assert.equal(header.length, 6);
  const delimiter = header[5]!;
  assert.equal(delimiter.length, 1);
  const rest = line.slice(header.join('|').length + 1);
  const extension = new Map<string, string>();
  for (const attribute of rest.split(delimiter)) {
    const equals = attribute.indexOf('=');
    const key = attribute.slice(0, equals);
    assert.match(key, /^[A-Za-z0-9_]+$/);
    assert.ok(!extension.has(key), `the key ${key} twice`);
    extension.set(key, attribute.slice(equals + 1));
  }
  return { header, extension };
}

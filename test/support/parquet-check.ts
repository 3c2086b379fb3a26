import assert from 'node:assert/strict';

/** Texts of `evidences[].data`, which are JSON of their own. */
const jsonMembers = new Set(['data']);

/**
 * Holds a row that somebody read out of a Parquet file against the JSON that it was made of: every member is there with its value, and what is
 * there beside them is null. Numbers of 64 bits may be bigints or texts.
 * @param isNothing what a reader that knows no null of structs and lists gives in its place
 */
export function assertSameRow(
  json: Readonly<Record<string, unknown>>,
  row: unknown,
  isNothing: (value: unknown) => boolean = (value) => value === null || value === undefined,
): void {
  assertStruct(json, row, isNothing, '');
}

function assertStruct(json: object, row: unknown, isNothing: (value: unknown) => boolean, way: string): void {
  assert.ok(typeof row === 'object' && row !== null && !Array.isArray(row), `${way}: no struct`);
  const members = row as Record<string, unknown>;
  for (const [name, value] of Object.entries(json)) {
    const at = `${way}.${name}`;
    assert.ok(name in members, `${at}: no such column`);
    if (at === '.unmapped') assertMap(value, members[name], at);
    else if (jsonMembers.has(name)) assert.deepEqual(JSON.parse(String(members[name])), value, at);
    else assertValue(value, members[name], isNothing, at);
  }
  for (const [name, value] of Object.entries(members)) {
    if (!(name in json))
      assert.ok(isNothing(value), `${way}.${name}: ${JSON.stringify(value)}, and nothing in the JSON`);
  }
}

function assertValue(json: unknown, read: unknown, isNothing: (value: unknown) => boolean, way: string): void {
  if (Array.isArray(json)) {
    assert.ok(Array.isArray(read), `${way}: no list`);
    assert.equal(read.length, json.length, way);
    for (const [index, item] of json.entries()) assertValue(item, read[index], isNothing, `${way}[]`);
  } else if (typeof json === 'object' && json !== null) assertStruct(json, read, isNothing, way);
  else if (typeof json === 'number') assert.equal(String(read), String(json), way);
  else assert.equal(read, json, way);
}

/** `unmapped` holds texts under names, JSON of what is no text, and members of an object in it behind its name and a dot. */
function assertMap(json: unknown, read: unknown, way: string): void {
  const wanted = flat(json);
  assert.ok(typeof read === 'object' && read !== null, `${way}: no map`);
  assert.deepEqual(Object.keys(read), [...wanted.keys()], way);
  for (const [name, text] of Object.entries(read)) {
    const member = wanted.get(name);
    assert.deepEqual(typeof member === 'string' ? text : JSON.parse(text), member, `${way}.${name}`);
  }
}

function flat(value: unknown, prefix = ''): Map<string, unknown> {
  return new Map(
    Object.entries(value as object).flatMap(([name, member]: [string, unknown]): [string, unknown][] => {
      const isObject = typeof member === 'object' && member !== null && !Array.isArray(member);
      return isObject ? [...flat(member, `${prefix}${name}.`)] : [[prefix + name, member]];
    }),
  );
}

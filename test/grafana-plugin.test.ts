import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { repositoryRoot } from '../scripts/repository.ts';
import { backendMacros, expandMacros } from './support/grafana-backend.ts';
import { type AdHocFilter, fillIn, formatVariable } from './support/grafana-macros.ts';
import { dashboardQueries } from './support/grafana-queries.ts';

// Our model of the data source against what its own code answered; grafana/plugin/README.md says how the fixtures are made.

const fixture = (name: string) =>
  JSON.parse(readFileSync(join(repositoryRoot, `test/fixtures/grafana-plugin/${name}.json`), 'utf8'));

interface Filled {
  readonly sql: string;
  readonly variables: Readonly<Record<string, string>>;
  readonly filters: readonly AdHocFilter[];
  readonly expected: string;
}

describe('conditions, variables and ad hoc filters are filled in as by its pages', () => {
  const cases: Filled[] = fixture('filled').cases;
  for (const { sql, variables, filters, expected } of cases) {
    test(`${sql} ${filters.map(({ key, operator, value }) => key + operator + value).join()}`, () => {
      const context = { from: new Date(), to: new Date(), intervalMs: 1, variables, adHocFilters: filters };
      assert.equal(fillIn(sql, context), expected);
    });
  }
});

describe("variables are formatted as by Grafana's own package", () => {
  const cases: { format: string; value: string | string[]; expected: string }[] = fixture('packages').formats;
  for (const { format, value, expected } of cases) {
    test(`${format} of ${JSON.stringify(value).slice(0, 80)}`, () =>
      assert.equal(formatVariable(value, format), expected));
  }
});

describe('macros are expanded as by its backend', () => {
  const { context, cases } = fixture('macros');
  const range = { from: new Date(context.from), to: new Date(context.to), intervalMs: context.intervalMs };
  for (const { sql, expected } of cases as { sql: string; expected: { sql?: string; error?: string } }[]) {
    test(sql, () => {
      if (expected.error === undefined) assert.equal(expandMacros(sql, range), expected.sql);
      else assert.throws(() => expandMacros(sql, range), /arguments/);
    });
  }
});

test('dashboards use no macro that the data source does not know', () => {
  const known = [...backendMacros(), 'conditionalAll', 'adHocFilters', 'adhoc_column'];
  for (const { name, sql } of dashboardQueries) {
    const used = [...sql.matchAll(/\$__(\w+)/g)].map(([, macro]) => macro ?? '');
    assert.deepEqual(
      used.filter((macro) => !known.includes(macro)),
      [],
      name,
    );
  }
});

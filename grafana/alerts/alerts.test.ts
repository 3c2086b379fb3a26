import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { describe } from 'node:test';
import { parse } from 'yaml';
import { repositoryRoot } from '../../scripts/repository.ts';
import { dashboards } from '../generate.ts';
import { alertGroups, anchor } from './provisioning.ts';
import { alertSql } from './spec.ts';

// What can be said of the rules without asking ClickHouse; test/grafana-alerts.test.ts asks it.

interface Rule {
  readonly uid: string;
  readonly title: string;
  readonly condition: string;
  readonly data: readonly { readonly refId: string; readonly datasourceUid: string; readonly model: Model }[];
  readonly for: string;
  readonly noDataState: string;
  readonly execErrState: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

interface Model {
  readonly refId: string;
  readonly type?: string;
  readonly expression?: string;
  readonly rawSql?: string;
  readonly datasource: { readonly uid: string };
}

const read = (path: string): string => readFileSync(join(repositoryRoot, path), 'utf8');
const file = parse(read('grafana/provisioning/alerting/spanwarden.yaml'));
const rules: Rule[] = file.groups.flatMap((group: { rules: Rule[] }) => group.rules);

for (const rule of rules) {
  describe(rule.uid, () => {
    test('its expressions read what stands before them, and the last is the condition', () => {
      const before = new Set<string>();
      for (const { refId, model, datasourceUid } of rule.data) {
        assert.equal(model.refId, refId);
        assert.equal(model.datasource.uid, datasourceUid);
        if (model.expression !== undefined)
          assert.ok(before.has(model.expression), `${refId} reads ${model.expression}`);
        assert.equal(datasourceUid === '__expr__', model.rawSql === undefined);
        before.add(refId);
      }
      assert.equal(rule.condition, rule.data.at(-1)?.refId);
      assert.equal(rule.data.at(-1)?.model.type, 'threshold');
    });
    test('its data source is the one that is provisioned', () => {
      const { datasources } = parse(read('grafana/provisioning/datasources/spanwarden.yaml'));
      assert.equal(rule.data[0]?.datasourceUid, datasources[0].uid);
    });
    test('nothing in it may be taken for a variable of the environment', () => {
      for (const { model } of rule.data) assert.doesNotMatch(JSON.stringify(model), /\$/);
      assert.doesNotMatch(JSON.stringify([rule.labels, rule.title, rule.uid]), /\$/);
      for (const text of Object.values(rule.annotations)) assert.doesNotMatch(text, /\$\{/);
    });
    test('it says what is wrong, how bad it is, what to do and where to look', () => {
      const { summary, description, runbook, __dashboardUid__: dashboardUid, __panelId__: panelId } = rule.annotations;
      assert.ok((summary?.length ?? 0) > 20 && (description?.length ?? 0) > 40);
      assert.match(rule.labels['severity'] ?? '', /^(critical|warning)$/);
      const [page, heading] = runbook!.split('#');
      const headings = [...read(page!).matchAll(/^#+ (.*)$/gm)].map(([, text]) => anchor(text!));
      assert.ok(headings.includes(heading!), `${page} has no heading ${heading}`);
      if (dashboardUid === undefined) return;
      const dashboard = Object.values(dashboards)
        .map((make) => make())
        .find(({ uid }) => uid === dashboardUid);
      assert.ok(
        dashboard?.panels?.some(({ id }) => String(id) === panelId),
        `no panel ${panelId} on ${dashboardUid}`,
      );
    });
    test('labels in its texts are columns of its query', () => {
      const sql = rule.data[0]?.model.rawSql ?? '';
      for (const [, label] of JSON.stringify(rule.annotations).matchAll(/\$labels\.(\w+)/g)) {
        assert.match(sql, new RegExp(`\\bAS \`?${label}\\b`), label);
      }
    });
  });
}

test('uids are what Grafana takes, and each title and uid is there once', () => {
  for (const { uid } of rules) assert.match(uid, /^[a-zA-Z0-9_-]{1,40}$/);
  for (const key of ['uid', 'title'] as const) assert.equal(new Set(rules.map((rule) => rule[key])).size, rules.length);
});

test('what no data means is chosen, and silence alerts in exactly one place', () => {
  const states = rules.map(({ uid, noDataState, execErrState }) => [uid, noDataState, execErrState].join(' '));
  assert.deepEqual(
    states.filter((state) => state.includes('Alerting')),
    ['spanwarden-collector-silent Alerting Alerting'],
  );
  assert.ok(states.every((state) => / (OK KeepLast|Alerting Alerting)$/.test(state)));
});

test('the file changes nothing but rules, and Grafana reads every file beside it', () => {
  assert.deepEqual(Object.keys(file), ['apiVersion', 'groups']);
  // Grafana refuses to start alerting for a file there that is neither.
  const others = globSync('*', { cwd: join(repositoryRoot, 'grafana/provisioning/alerting') });
  assert.deepEqual(
    others.filter((name) => !/\.(yaml|yml|json)$/.test(name)),
    [],
  );
});

test('the example of contact points leaves the notification policies alone and holds no secret', () => {
  const text = read('grafana/contact-points.example.yaml');
  const example = parse(text);
  assert.deepEqual(Object.keys(example), ['apiVersion', 'contactPoints']);
  for (const { name, receivers } of example.contactPoints) {
    assert.match(name, /^Spanwarden /);
    for (const { uid, settings } of receivers) {
      assert.match(uid, /^spanwarden-[a-z-]{1,29}$/);
      for (const value of Object.values(settings))
        assert.match(String(value), /^(\$SPANWARDEN_ALERTS_[A-Z_]+|POST|false|true)$/);
    }
  }
});

test('every rule of the sources is in the file', () => {
  assert.deepEqual(
    rules.map(({ uid }) => uid),
    alertGroups.flatMap(({ alerts }) => alerts.map(({ uid }) => uid)),
  );
});

test('a word that is missing or not wanted is an error', () => {
  assert.throws(() => alertSql({ file: 'alerts/newest-gauge', words: { metric: 'm' } }), /nothing is given/);
  assert.throws(() => alertSql({ file: 'alerts/agent-silent', words: { metric: 'm' } }), /has no \{\{metric\}\}/);
});

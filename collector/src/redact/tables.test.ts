import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createFieldTable } from '../model/fields.ts';
import type { Finding } from '../model/finding.ts';
import { redactConfigSchema } from './config.ts';
import { redactedFindings } from './records.ts';
import { tableRedactors } from './tables.ts';

function inDirectory(check: (directory: string) => void): void {
  const directory = mkdtempSync(join(tmpdir(), 'spanwarden-test-'));
  try {
    check(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

const under = (config: unknown, directory: string) =>
  tableRedactors(redactConfigSchema.parse(config), directory, createFieldTable());
const token = `ghp_${'aB3dE6gH9'.repeat(4)}`;

test('secrets are taken out of all tables by default, equally, with a key that is made once', () =>
  inDirectory((directory) => {
    const { otel_traces: traces, otel_logs: logs, findings, cases } = under(undefined, directory);
    const shown = [traces, logs, findings, cases].map((redactor) => redactor?.text(token));
    assert.match(shown[0]!, /^\[secret:github_token:[0-9a-f]{16}\]$/);
    assert.equal(new Set(shown).size, 1);
    assert.equal(under({}, directory).cases?.text(token), shown[0]);
    assert.deepEqual(readdirSync(directory), ['redaction.key']);
    assert.equal(statSync(join(directory, 'redaction.key')).mode & 0o777, 0o600);
  }));

test('findings hold no value that was taken out of a span, where nothing tells it any more', () =>
  inDirectory((directory) => {
    const { otel_traces: traces, findings } = under(undefined, directory);
    const random = 'aB3dE6gH9kLmN0pQrS7tUvWx';
    traces!.text(`client_secret=${random}`);
    const finding = {
      ...{ reason: '', serviceName: '', agentName: '', conversationId: '', userId: '', toolName: '', spanName: '' },
      groupKey: random.toLowerCase(),
      session: { id: `c ${random}`, source: 'response' },
      evidence: [{ selection: 's', field: 'spanwarden.effect.segments', wanted: 'x', excerpt: `curl ${random} there` }],
    } as unknown as Finding;
    const [redacted] = redactedFindings([finding], findings);
    assert.match(redacted!.evidence[0]!.excerpt, /^curl \[secret:key_assignment:[0-9a-f]{16}\] there$/);
    assert.match(redacted!.session!.id, /^c \[secret:key_assignment:[0-9a-f]{16}\]$/);
    assert.match(redacted!.groupKey, /^\[secret:key_assignment:[0-9a-f]{16}\]$/);
  }));

test('each table may have a profile of its own; without any there is no key', () =>
  inDirectory((directory) => {
    assert.deepEqual(under({ profile: 'off' }, directory).all, []);
    assert.deepEqual(readdirSync(directory), []);
    const { otel_traces: traces, findings } = under(
      { profile: 'off', tables: { findings: 'secrets_and_pii' } },
      directory,
    );
    assert.equal(traces, undefined);
    assert.match(findings!.text('to ann@example.com'), /^to \[pii:email:/);
  }));

test('a key file that is missing, short or unreadable stops the start', () =>
  inDirectory((directory) => {
    const file = join(directory, 'key');
    const config = { key_file: file };
    assert.throws(() => under(config, directory), /is not there/);
    writeFileSync(file, 'short');
    assert.throws(() => under(config, directory), /holds 5 bytes/);
    assert.throws(() => under({ key_file: directory }, directory), /cannot be read/);
    writeFileSync(file, 'long enough to be a key');
    assert.notEqual(under(config, directory).cases?.text(token), under({}, directory).cases?.text(token));
  }));

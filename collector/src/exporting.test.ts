import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { loadConfig } from './config/load.ts';
import { caseEvent, findingEvent } from './export/testing/events.ts';
import { MemoryEventSource } from './export/testing/memory-source.ts';
import { exportRedaction } from './export-redaction.ts';
import { addExportGauges, openExporting } from './exporting.ts';
import { createMetrics } from './metrics.ts';
import { SpanwardenError } from './model/errors.ts';
import { createFieldTable } from './model/fields.ts';

const directory = mkdtempSync(join(tmpdir(), 'spanwarden-exporting-'));
after(() => rmSync(directory, { recursive: true, force: true }));

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
const mail = 'jane.doe@example.org';
const finding = findingEvent(1, 'key', {
  reason: `It went to ${mail}.`,
  evidence: [{ selection: 's', field: 'gen_ai.tool.call.arguments', wanted: 'exists', excerpt: `to ${mail}` }],
});

function configOf(redact: string) {
  const path = join(directory, 'out');
  const text = `export:\n  destinations:\n    siem: { type: file, path: ${path}, ${redact} }\n`;
  return loadConfig({ text, env: {} });
}

test('a destination gets less than is stored where its profile says so, under the same key', () => {
  const redact = exportRedaction(configOf('redact: secrets_and_pii'), directory, createFieldTable(), true);
  assert.equal(redact(finding, 'secrets'), finding);
  const cleaned = redact(finding, 'secrets_and_pii');
  assert.ok(cleaned.kind === 'finding');
  assert.match(cleaned.finding.reason, /^It went to \[pii:email:[0-9a-f]+\]\.$/);
  assert.deepEqual([cleaned.id, cleaned.finding.id], [finding.id, finding.finding.id]);
  const row = redact(caseEvent({ headline: `${mail} was told` }), 'secrets_and_pii');
  assert.ok(
    row.kind === 'case' && row.case.headline.startsWith(cleaned.finding.reason.slice('It went to '.length, -1)),
  );
  const bare = redact(finding, 'metadata_only');
  assert.ok(bare.kind === 'finding' && /^\[content:/.test(bare.finding.evidence[0]!.excerpt));
});

test('a command makes no key: one that belongs to somebody else would keep the collector from starting', () => {
  const empty = mkdtempSync(join(directory, 'empty-'));
  const redact = exportRedaction(configOf('redact: secrets_and_pii'), empty, createFieldTable(), false);
  assert.throws(() => redact(finding, 'secrets_and_pii'), SpanwardenError);
  assert.ok(!existsSync(join(empty, 'redaction.key')));
});

test('metrics say of each destination how it stands', async () => {
  const metrics = createMetrics();
  const source = new MemoryEventSource();
  const exporter = await openExporting({
    ...{ config: configOf('start: oldest, batch: { linger_ms: 0 }'), dataDir: directory, fields: createFieldTable() },
    ...{ source: () => source, logger: silent },
  });
  addExportGauges(metrics, () => exporter.statuses());
  exporter.start();
  source.add([finding, caseEvent()]);
  while (exporter.statuses()[0]!.counts.delivered < 2) await new Promise((resolve) => setTimeout(resolve, 5));
  for (let times = 0; times < 2; times++) {
    const text = await metrics.registry.metrics();
    assert.match(text, /^spanwarden_export_delivered_events_total\{destination="siem"\} 2$/m);
    assert.match(text, /^spanwarden_export_waiting_events\{destination="siem"\} 0$/m);
    assert.match(text, /^spanwarden_export_state\{destination="siem",state="ok"\} 1$/m);
    assert.match(text, /^spanwarden_export_state\{destination="siem",state="misconfigured"\} 0$/m);
  }
  await exporter.stop(1_000);
});

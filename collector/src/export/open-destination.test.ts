import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadConfig } from '../config/load.ts';
import { openDestination } from './open-destination.ts';
import { caseEvent, findingEvent } from './testing/events.ts';

test('links lead to the case and the trace of an event, around its time', async () => {
  const text = 'export: { grafana_url: "https://grafana.example/base/", destinations: { out: { type: stdout } } }';
  const { export: config } = loadConfig({ text, env: {} });
  const { destination } = await openDestination('out', {
    ...{ config, version: '1', redact: (event) => event, now: Date.now },
  });
  const linkOf = (event: Parameters<typeof destination.encode>[0]) =>
    new URL((JSON.parse(destination.encode(event).toString()) as { link: string }).link);
  const alone = linkOf(findingEvent(1));
  assert.equal(alone.pathname, '/base/d/spanwarden-findings');
  assert.equal(alone.searchParams.get('var-trace_id'), 'a1'.repeat(16));
  assert.ok(!alone.searchParams.has('var-case_id'));
  const hours = (Number(alone.searchParams.get('to')) - Number(alone.searchParams.get('from'))) / 3_600_000;
  assert.equal(hours, 48);
  assert.equal(linkOf(findingEvent(1, 'key', { caseId: 'c7' })).searchParams.get('var-case_id'), 'c7');
  assert.equal(linkOf(caseEvent()).searchParams.get('var-case_id'), 'c1'.repeat(16));
  assert.equal(linkOf(caseEvent({ mergedInto: 'c9' })).searchParams.get('var-case_id'), 'c9');
  await destination.close();
});

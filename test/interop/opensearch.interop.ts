import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import type { Destination, SendOutcome } from '../../collector/src/export/contract.ts';
import { elasticsearch } from '../../collector/src/export/destinations/elasticsearch.ts';
import type { ExportEvent } from '../../collector/src/model/export-event.ts';
import { limits } from '../../collector/src/model/limits.ts';
import { caseEvent, findingEvent, hostileText } from '../support/export-events.ts';
import { assertDelivered, context, send } from '../support/receivers/opened.ts';
import { Exporting, findingsOf, SharedScope } from './support/exporting.ts';
import { OpenSearch } from './support/opensearch.ts';
import { lacking } from './support/tools.ts';

// The destination `elasticsearch` against OpenSearch, with the index template and the pipeline that we ship.

const target = 'logs-spanwarden.findings-default';

const options = { skip: lacking('java', 'mvn') };

describe('OpenSearch', options, () => {
  const scope = new SharedScope();
  let node: OpenSearch;
  before(async () => {
    node = await OpenSearch.start(scope, { 'http.max_content_length': '1mb' });
    await node.putOurs();
  });
  after(() => scope.end());

  async function opened(t: TestContext, own: object = {}): Promise<Destination> {
    const config = elasticsearch.schema.parse({ type: 'elasticsearch', url: node.url, ...own });
    const to = await elasticsearch.open(config, { ...context, bytesMax: limits.exportEventBytesMax });
    t.after(() => to.close());
    return to;
  }

  function idsOf(events: readonly ExportEvent[]): string[] {
    return events.map(({ id }) => id).sort();
  }

  test('findings and cases become documents of the data stream, and the pipeline notes when', async (t) => {
    const events = [findingEvent(1, hostileText), caseEvent(2, hostileText), findingEvent(3)];
    const outcome = await send(await opened(t), events);
    assertDelivered(outcome);
    const documents = await node.documents(target);
    assert.deepEqual([...documents.keys()].sort(), idsOf(events));
    for (const [id, { event }] of documents) {
      const { kind, id: eventId, ingested } = event as Record<string, string>;
      assert.deepEqual([kind, eventId], ['alert', id]);
      assert.ok(Math.abs(Date.parse(ingested ?? '') - Date.now()) < 600_000, ingested);
    }
    const { data_streams } = (await node.ask('GET', `_data_stream/${target}`)) as { data_streams: unknown[] };
    assert.equal(data_streams.length, 1);
  });

  test('what is sent again is there already, which counts as delivered', async (t) => {
    const to = await opened(t);
    const events = [findingEvent(11), caseEvent(12)];
    assertDelivered(await send(to, events));
    const before = (await node.documents(target)).size;
    const again = await send(to, [...events, findingEvent(13)]);
    assertDelivered(again);
    assert.equal((again as { answer: string }).answer, 'HTTP 200: 3 stored, 2 of them before');
    assert.equal((await node.documents(target)).size, before + 1);
  });

  test('fields of the template can be asked for in the ways that their types are for', async (t) => {
    assertDelivered(await send(await opened(t), [findingEvent(21)]));
    await node.ask('POST', `${target}/_refresh`);
    const queries: readonly object[] = [
      { term: { 'event.kind': 'alert' } },
      { term: { 'rule.id': '5f0c2f0e-0000-4000-8000-000000000001' } },
      { range: { 'event.severity': { gte: 70 } } },
      { match: { message: 'agent what to do' } },
      { range: { 'event.ingested': { gte: 'now-1h' } } },
    ];
    for (const query of queries) {
      const filter = [{ ids: { values: [findingEvent(21).id] } }, query];
      const { count } = await node.ask('POST', `${target}/_count`, { query: { bool: { filter } } });
      assert.equal(count, 1, JSON.stringify(query));
    }
  });

  for (const format of ['ocsf', 'json']) {
    test(`findings and cases as ${format} are taken by an index without a template`, async (t) => {
      const events = [findingEvent(1, hostileText), caseEvent(2, hostileText), findingEvent(3)];
      assertDelivered(await send(await opened(t, { format, target: `plain-${format}` }), events));
      assert.deepEqual([...(await node.documents(`plain-${format}`)).keys()].sort(), idsOf(events));
    });
  }

  test('texts of any length are taken', async (t) => {
    const events = [findingEvent(31, '\u0000\u{1f600}"'.repeat(200_000)), caseEvent(32, 'word '.repeat(100_000))];
    for (const format of ['ecs', 'ocsf', 'json']) {
      const own = format === 'ecs' ? {} : { target: `long-${format}` };
      const outcome = await send(await opened(t, { format, ...own }), events);
      assert.equal(outcome.status, 'delivered', `${format}: ${JSON.stringify(outcome)}`);
      assert.deepEqual((outcome as { refused?: unknown }).refused, undefined, format);
    }
  });

  test('a document that does not fit a mapping is refused, and those beside it are stored', async (t) => {
    const own = { target: 'numbered' };
    await node.ask('PUT', own.target, {
      mappings: { properties: { user: { properties: { id: { type: 'integer' } } } } },
    });
    const numbered = (number: number, userId: string) => {
      const event = findingEvent(number);
      return { ...event, finding: { ...event.finding, userId } };
    };
    const events = [numbered(41, '7'), numbered(42, 'user-1'), numbered(43, '8')];
    const outcome = await send(await opened(t, own), events);
    assert.equal(outcome.status, 'delivered', JSON.stringify(outcome));
    const { refused = [], again } = outcome as Extract<SendOutcome, { status: 'delivered' }>;
    assert.deepEqual([refused.map(({ index }) => index), again], [[1], undefined]);
    assert.match(refused[0]?.reason ?? '', /^HTTP 400: mapper_parsing_exception: .*\[user\.id\] of type \[integer\]/);
    assert.deepEqual([...(await node.documents(own.target)).keys()].sort(), idsOf([events[0]!, events[2]!]));
  });

  test('an index that takes no documents is the setup, and gets them when it does again', async (t) => {
    const own = { target: 'blocked' };
    await node.ask('PUT', own.target, { settings: { 'index.blocks.write': true } });
    const to = await opened(t, own);
    const blocked = await send(to, [findingEvent(51)]);
    assert.equal(blocked.status, 'misconfigured', JSON.stringify(blocked));
    assert.match((blocked as { reason: string }).reason, /HTTP 403 for an item: cluster_block_exception/);
    await node.ask('PUT', `${own.target}/_settings`, { 'index.blocks.write': false });
    assertDelivered(await send(to, [findingEvent(51)]));
  });

  test('a request that is too large for the node goes in halves', async (t) => {
    const batch = { linger_ms: 300, events: 1000, bytes: 10_000_000 };
    const own = { target: 'logs-spanwarden.findings-large', batch };
    const events = findingsOf(60, 7).map((event) => ({
      ...event,
      finding: { ...event.finding, reason: 'word '.repeat(5_000) },
    }));
    const whole = await send(await opened(t), events);
    assert.equal(whole.status, 'too_large', JSON.stringify(whole));
    const exporting = await Exporting.start(t, { type: 'elasticsearch', url: node.url, ...own });
    exporting.add(events);
    await exporting.settled();
    const { counts, lastError } = exporting.status;
    assert.deepEqual([counts.delivered, counts.refused], [events.length, 0], JSON.stringify(lastError));
    assert.deepEqual([...(await node.documents(own.target)).keys()].sort(), idsOf(events));
  });

  test('no event is missing or there twice when the node is killed and comes back', async (t) => {
    const own = { target: 'logs-spanwarden.findings-killed' };
    const exporting = await Exporting.start(t, { type: 'elasticsearch', url: node.url, timeout_ms: 10_000, ...own });
    const events = findingsOf(600, 11);
    const feeding = exporting.feed(events);
    await exporting.delivered(100);
    await node.stop('SIGKILL');
    await node.restart();
    await feeding;
    await exporting.settled();
    const { counts } = exporting.status;
    assert.deepEqual(
      [counts.delivered, counts.refused],
      [events.length, 0],
      JSON.stringify(exporting.status.lastError),
    );
    assert.ok(counts.retried > 0, 'the node was not missed');
    assert.deepEqual([...(await node.documents(own.target)).keys()].sort(), idsOf(events));
  });
});

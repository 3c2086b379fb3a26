import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import OpenAI from 'openai';
import { rejectedIn } from '../collector/src/export/http/otlp-answer.ts';
import { caseEvent, findingEvent, hostileText, idOf } from './support/export-events.ts';
import type { ElasticReceiver } from './support/receivers/elasticsearch.ts';
import { assertDelivered, opened, send } from './support/receivers/opened.ts';
import type { OtlpReceiver } from './support/receivers/otlp.ts';
import { parsed, poison } from './support/receivers/receiver.ts';
import type { SecopsReceiver } from './support/receivers/secops.ts';
import type { SentinelReceiver } from './support/receivers/sentinel.ts';
import type { SplunkReceiver } from './support/receivers/splunk-hec.ts';
import { subjectNamed } from './support/receivers/subjects.ts';
import { type WebhookReceiver, webhookKey } from './support/receivers/webhook.ts';

// What only one protocol has. What all have is in export-contract.test.ts.

const three = [1, 2, 3].map((number) => findingEvent(number));

test('webhook: 410 and a clock that is off are the setup', async () => {
  const { receiver, to } = await opened<WebhookReceiver>(subjectNamed('webhook, array'));
  receiver.isGone = true;
  assert.equal((await send(to, three)).status, 'misconfigured');
  receiver.isGone = false;
  receiver.clockAheadSeconds = 3600;
  const outcome = await send(to, three);
  assert.deepEqual(outcome, {
    status: 'misconfigured',
    reason: 'HTTP 401 Unauthorized: time of the message is out of tolerance',
  });
  receiver.clockAheadSeconds = 0;
  assertDelivered(await send(to, three));
});

test('webhook: a batch that is sent again has the same id, another one has another', async () => {
  const { receiver, to } = await opened<WebhookReceiver>(subjectNamed('webhook, array'));
  for (const batch of [three, three, three.slice(1)]) assertDelivered(await send(to, batch));
  const [first, second, third] = receiver.ids;
  assert.equal(first, second);
  assert.notEqual(first, third);
});

test('webhook: a library for Standard Webhooks takes the signature, and none over another body', async () => {
  const { receiver, to } = await opened<WebhookReceiver>(subjectNamed('webhook, array'));
  assertDelivered(await send(to, three));
  const [request] = receiver.requests;
  const { webhooks } = new OpenAI({ apiKey: 'none', webhookSecret: webhookKey });
  const headers = request!.headers as Record<string, string>;
  await webhooks.verifySignature(String(request!.body), headers);
  await assert.rejects(webhooks.verifySignature(`${request!.body} `, headers));
});

test('webhook: with two keys there are two signatures', async () => {
  const other = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;
  const { receiver, to } = await opened<WebhookReceiver>(subjectNamed('webhook, array'), {
    signing_secrets: [other, webhookKey],
  });
  assertDelivered(await send(to, three));
  assert.match(String(receiver.requests[0]?.headers['webhook-signature']), /^v1,\S+ v1,\S+$/);
});

test('splunk_hec: the event that is wrong is refused, those before it are taken, those after it go again', async () => {
  const { receiver, to } = await opened<SplunkReceiver>(subjectNamed('splunk_hec'));
  const outcome = await send(to, [findingEvent(1), findingEvent(2, poison), findingEvent(3)]);
  assert.ok(outcome.status === 'delivered');
  assert.deepEqual(
    outcome.refused?.map(({ index }) => index),
    [1],
  );
  assert.deepEqual(outcome.again, [2]);
  assert.deepEqual(receiver.held, [idOf(findingEvent(1))]);
});

test('splunk_hec: an index that the token does not allow is the setup', async () => {
  const { receiver, to } = await opened<SplunkReceiver>(subjectNamed('splunk_hec'), { index: 'other' });
  const outcome = await send(to, three);
  assert.equal(outcome.status, 'misconfigured');
  assert.match((outcome as { reason: string }).reason, /Incorrect index/);
  assert.deepEqual(receiver.held, []);
});

test('splunk_hec: where an event goes and what it is called there can be said', async () => {
  const own = { index: 'agents', source: 'here', sourcetype: 'theirs' };
  const { receiver, to } = await opened<SplunkReceiver>(subjectNamed('splunk_hec'), own);
  assertDelivered(await send(to, [findingEvent(1, hostileText)]));
  const { event, fields, ...envelope } = parsed(receiver.texts[0] ?? '') as Record<string, Record<string, unknown>>;
  assert.deepEqual(envelope, { time: 1_790_000_000, host: 'collector-1', ...own });
  assert.equal(event?.event_id, three[0]!.id);
  assert.equal(fields?.spanwarden_severity, 'high');
  assert.ok(receiver.requests[0]?.isPacked);
  const plain = await opened<SplunkReceiver>(subjectNamed('splunk_hec'), { index: undefined });
  assertDelivered(await send(plain.to, three.slice(0, 1)));
  const { sourcetype, index } = parsed(plain.receiver.texts[0] ?? '') as Record<string, unknown>;
  assert.deepEqual([sourcetype, index], ['spanwarden:finding', undefined]);
});

test('splunk_hec: with acknowledgement it is asked until the events are indexed', async () => {
  const { receiver, to } = await opened<SplunkReceiver>(subjectNamed('splunk_hec, with acknowledgement'));
  receiver.unindexedPolls = 2;
  assertDelivered(await send(to, three));
  assert.equal(receiver.requests.filter(({ path }) => path.endsWith('/ack')).length, 3);
});

test('splunk_hec: what is not indexed in time goes again; a token without acknowledgement is the setup', async () => {
  const { receiver, to } = await opened<SplunkReceiver>(subjectNamed('splunk_hec, with acknowledgement'), {
    timeout_ms: 500,
  });
  receiver.unindexedPolls = 1000;
  assert.equal((await send(to, three)).status, 'retryable');
  receiver.hasAcknowledgement = false;
  const outcome = await send(to, three);
  assert.equal(outcome.status, 'misconfigured');
  assert.match((outcome as { reason: string }).reason, /no ackId/);
});

test('elasticsearch: each item has its own outcome', async () => {
  const { receiver, to } = await opened<ElasticReceiver>(subjectNamed('elasticsearch'));
  assertDelivered(await send(to, three.slice(0, 1)));
  receiver.busyFor = '0003-1';
  const outcome = await send(to, [findingEvent(1), findingEvent(2, poison), findingEvent(3), findingEvent(4)]);
  assert.ok(outcome.status === 'delivered');
  assert.deepEqual(outcome.again, [2]);
  assert.deepEqual(
    outcome.refused?.map(({ index }) => index),
    [1],
  );
  assert.match(outcome.refused?.[0]?.reason ?? '', /document_parsing_exception/);
  assert.deepEqual([...receiver.documents.keys()], [findingEvent(1).id, findingEvent(4).id]);
});

test('elasticsearch: when every shard is busy nothing is taken as delivered', async () => {
  const { receiver, to } = await opened<ElasticReceiver>(subjectNamed('elasticsearch'));
  receiver.busyFor = '-1';
  assert.equal((await send(to, three)).status, 'retryable');
});

test('elasticsearch: another target is the setup, and so is a password that is wrong', async () => {
  const other = await opened(subjectNamed('elasticsearch'), { target: 'other' });
  assert.equal((await send(other.to, three)).status, 'misconfigured');
  const basic = { api_key: undefined, username: 'u', password: 'wrong-secret-1' };
  const { to } = await opened(subjectNamed('elasticsearch'), basic);
  const outcome = await send(to, three);
  assert.equal(outcome.status, 'misconfigured');
  assert.match((outcome as { reason: string }).reason, /Basic \[REDACTED\]|\[REDACTED\]/);
});

test('elasticsearch, secops: settings that do not go together stop the opening', async () => {
  const twice = { username: 'u', password: 'p' };
  for (const own of [twice, { api_key: undefined, username: 'u' }]) {
    await assert.rejects(async () => opened(subjectNamed('elasticsearch'), own), { name: 'SpanwardenError' });
  }
  const own = { log_type: undefined };
  await assert.rejects(async () => opened(subjectNamed('secops, json'), own), /log_type is missing/);
});

test('elasticsearch: documents of every format have the time that a data stream wants', async () => {
  for (const format of ['ecs', 'ocsf', 'json']) {
    const { receiver, to } = await opened<ElasticReceiver>(subjectNamed('elasticsearch'), { format });
    assertDelivered(await send(to, three));
    assert.equal(receiver.documents.size, 3, format);
  }
});

test('otlp: both encodings say the same', async () => {
  const events = [findingEvent(1, hostileText), caseEvent(2)];
  const texts = [];
  for (const name of ['otlp, protobuf', 'otlp, json']) {
    const { receiver, to } = await opened<OtlpReceiver>(subjectNamed(name));
    assertDelivered(await send(to, events));
    texts.push(receiver.texts);
  }
  assert.deepEqual(texts[0], texts[1]);
  const { eventName, severity, traceId } = parsed(texts[0]?.[0] ?? '') as Record<string, unknown>;
  assert.deepEqual(
    [eventName, severity, traceId],
    ['spanwarden.finding', [17, 'ERROR'], '0af7651916cd43dd8448eb211c80319c'],
  );
});

test('otlp: a partial success is not sent again, and the answer says what is missing; 500 is about the events', async () => {
  for (const name of ['otlp, protobuf', 'otlp, json']) {
    const { receiver, to } = await opened<OtlpReceiver>(subjectNamed(name));
    receiver.takesOne = true;
    assert.deepEqual(await send(to, three), {
      status: 'delivered',
      answer: '2 of 3 log records rejected: records rejected',
      rejected: 2,
    });
    assert.equal((await send(to, [findingEvent(1, poison)])).status, 'refused');
    receiver.isBroken = true;
    assert.equal((await send(to, three)).status, 'refused');
  }
});

test('otlp: whatever bytes an answer has, reading it ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const { count, message } = rejectedIn(Buffer.from(bytes));
      assert.ok(count >= 0 && typeof message === 'string');
    }),
  );
});

test('sentinel: one token for many batches, and a new one when it is not taken any more', async () => {
  const { receiver, to } = await opened<SentinelReceiver>(subjectNamed('sentinel'));
  for (const _ of [1, 2]) assertDelivered(await send(to, three));
  assert.equal(receiver.given, 1);
  receiver.tokens.clear();
  assertDelivered(await send(to, three));
  assert.equal(receiver.given, 2);
  assert.equal(receiver.held.length, 9);
});

test('sentinel: a token that is never taken is asked for once more and then is the setup; so is a missing role', async () => {
  const { receiver, to } = await opened<SentinelReceiver>(subjectNamed('sentinel'));
  const add = receiver.tokens.add.bind(receiver.tokens);
  receiver.tokens.add = () => receiver.tokens;
  const outcome = await send(to, three);
  assert.equal(outcome.status, 'misconfigured');
  assert.doesNotMatch((outcome as { reason: string }).reason, /signature-of-the-token/);
  assert.equal(receiver.given, 2);
  receiver.tokens.add = add;
  receiver.hasRole = false;
  assert.equal((await send(to, three)).status, 'misconfigured');
});

test('sentinel: a token endpoint that is down is retryable', async () => {
  const { to } = await opened<SentinelReceiver>(subjectNamed('sentinel'), { login_url: 'http://127.0.0.1:9' });
  assert.equal((await send(to, three)).status, 'retryable');
});

test('secops: with a clock that is off there is no token, and the reason says why', async () => {
  const { receiver, to } = await opened<SecopsReceiver>(subjectNamed('secops, udm'));
  receiver.clockAheadSeconds = 7200;
  const outcome = await send(to, three);
  assert.equal(outcome.status, 'misconfigured');
  assert.match((outcome as { reason: string }).reason, /no access token .* short-lived token/);
});

test('datadog: no text from telemetry becomes a tag', async () => {
  const { receiver, to } = await opened(subjectNamed('datadog'));
  assertDelivered(await send(to, [findingEvent(1, 'x,env:forged')]));
  const log = parsed(receiver.texts[0] ?? '') as Record<string, unknown>;
  assert.equal(log.ddtags, 'env:test,kind:finding,activity:create,severity:high');
  assert.equal(log.status, 'error');
});

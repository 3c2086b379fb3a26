import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import type { Destination } from '../collector/src/export/contract.ts';
import { email } from '../collector/src/export/destinations/email.ts';
import { createAuthority } from '../collector/src/receive/testing/certificates.ts';
import { caseEvent, hostileText } from './support/export-events.ts';
import { assertDelivered, context, send } from './support/receivers/opened.ts';
import { SmtpReceiver, smtpUser } from './support/receivers/smtp.ts';

// Mail against a real server of the protocol: what goes over the wire, and what each answer means.

const folder = mkdtempSync(join(tmpdir(), 'email-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const authority = await createAuthority('mail');
const pair = await authority.issue('mail server');
const ca = join(folder, 'ca.pem');
writeFileSync(ca, authority.cert);

const plain = { security: 'none', from: 'alerts@collector.example', to: ['soc@example.com', 'boss@example.com'] };
const secured = { ...plain, ...smtpUser, security: 'starttls', tls: { ca_file: ca } };

async function opened(t: TestContext, settings: object, start: Parameters<SmtpReceiver['start']>[0] = {}) {
  const receiver = new SmtpReceiver();
  const port = await receiver.start(start);
  const to = open(t, { port, ...settings });
  t.after(() => receiver.close());
  return { receiver, to, port };
}

function open(t: TestContext, settings: object, own = context): Destination {
  const checked = email.schema.parse({ type: 'email', host: '127.0.0.1', timeout_ms: 5_000, ...settings });
  const to = email.open(checked, own) as Destination;
  t.after(() => to.close());
  return to;
}

/** Headers with their continuations joined; names in lower case. */
function headers(raw: string): Map<string, string[]> {
  const found = new Map<string, string[]>();
  const [head = ''] = raw.split('\r\n\r\n', 1);
  for (const line of head.replace(/\r\n[ \t]/g, ' ').split('\r\n')) {
    const [name = '', ...rest] = line.split(':');
    const key = name.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), rest.join(':').trim()]);
  }
  return found;
}

test('a mail says what happened, in one thread for each case, and repeats its Message-ID', async (t) => {
  const { receiver, to } = await opened(t, plain);
  for (const _ of [1, 2]) assertDelivered(await send(to, [caseEvent(1), caseEvent(2)]));
  assert.equal(receiver.mails.length, 4);
  const [first, second, again] = receiver.mails.map(({ raw }) => headers(raw));
  assert.deepEqual(receiver.mails[0]!.to, plain.to);
  assert.deepEqual(first!.get('message-id'), [`<${caseEvent(1).id}@collector.example>`]);
  assert.deepEqual(again!.get('message-id'), first!.get('message-id'));
  assert.notDeepEqual(second!.get('references'), first!.get('references'));
  assert.match(first!.get('subject')![0]!, /^\[Spanwarden\] CRITICAL case: /);
  assert.match(
    receiver.mails[0]!.raw,
    /https:\/\/grafana\.example\/d\/cases\?id=3D1|https:\/\/grafana\.example\/d\/cases\?id=1/,
  );
});

test('hostile texts add no header, no recipient and no part', async (t) => {
  const { receiver, to } = await opened(t, plain);
  const forged = `x\r\nBcc: evil@example.com\r\nX-Forged: yes\r\n\r\n--b\r\n.\r\n${hostileText}`;
  assertDelivered(await send(to, [caseEvent(1, forged)]));
  const [mail] = receiver.mails;
  assert.deepEqual(mail!.to, plain.to);
  const names = [...headers(mail!.raw).keys()].sort();
  await send(to, [caseEvent(2)]);
  assert.deepEqual(names, [...headers(receiver.mails[1]!.raw).keys()].sort());
  assert.match(headers(mail!.raw).get('content-type')![0]!, /^text\/plain/);
});

test('login and mail go encrypted, over STARTTLS and over TLS from the start', async (t) => {
  for (const secure of [false, true]) {
    const { receiver, to } = await opened(t, { ...secured, security: secure ? 'tls' : 'starttls' }, { pair, secure });
    assertDelivered(await send(to, [caseEvent(1)]));
    assert.deepEqual(
      receiver.mails.map(({ isEncrypted }) => isEncrypted),
      [true],
    );
  }
});

test('a server without STARTTLS, a strange certificate and a wrong password are the setup, and do not show', async (t) => {
  const settings = [
    [plain, { ...plain, security: 'starttls' }, {}],
    [secured, { ...secured, tls: undefined }, { pair }],
    [secured, { ...secured, password: 'wrong-secret' }, { pair }],
  ] as const;
  for (const [, config, start] of settings) {
    const { receiver, to } = await opened(t, config, start);
    const outcome = await send(to, [caseEvent(1)]);
    assert.equal(outcome.status, 'misconfigured', JSON.stringify(outcome));
    assert.doesNotMatch((outcome as { reason: string }).reason, /wrong-secret/);
    assert.deepEqual(receiver.mails, []);
  }
});

test('answers of the server: later, never for this mail, or never for anybody', async (t) => {
  const { receiver, to } = await opened(t, plain);
  const three = [caseEvent(1), caseEvent(2, 'poisonous'), caseEvent(3)];
  receiver.faults.push({ at: 'data', code: 554, text: 'spam', holding: 'poisonous' });
  const refused = await send(to, three);
  assert.deepEqual(
    refused.status === 'delivered' && refused.refused?.map(({ index, reason }) => [index, /554 .*spam/.test(reason)]),
    [[1, true]],
  );
  assert.equal(receiver.mails.length, 2);
  receiver.faults.splice(0, 1, { at: 'data', code: 451, text: 'later', holding: 'poisonous' });
  const later = await send(to, three);
  assert.deepEqual(later.status === 'delivered' && later.again, [1, 2]);
  const first = await send(to, three.slice(1));
  assert.equal(first.status, 'retryable', JSON.stringify(first));
  receiver.faults.splice(0, 1, { at: 'from', code: 550, text: 'who are you' });
  assert.equal((await send(to, three)).status, 'misconfigured');
  receiver.faults.splice(0, 1, { at: 'to', code: 550, text: 'nobody here', holding: 'boss' });
  const partly = await send(to, [caseEvent(4)]);
  assert.match(partly.status === 'delivered' ? partly.answer : '', /refused for 1 of 2 recipients/);
});

test('a server that is gone, and a private address that is denied', async (t) => {
  const { receiver, to, port } = await opened(t, plain);
  await receiver.close();
  assert.equal((await send(to, [caseEvent(1)])).status, 'retryable');
  const denied = await send(
    open(t, { ...plain, host: 'localhost', port }, { ...context, denyPrivateAddresses: true }),
    [caseEvent(1)],
  );
  assert.equal(denied.status, 'misconfigured', JSON.stringify(denied));
});

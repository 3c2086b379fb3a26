import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, type TestContext, test } from 'node:test';
import type { Destination } from '../collector/src/export/contract.ts';
import { syslog } from '../collector/src/export/destinations/syslog.ts';
import type { ExportEvent } from '../collector/src/model/export-event.ts';
import { createAuthority } from '../collector/src/receive/testing/certificates.ts';
import { caseEvent, findingEvent, hostileText } from './support/export-events.ts';
import { assertDelivered, context, send } from './support/receivers/opened.ts';
import {
  type DaemonOptions,
  type ReadMessage,
  type StartDaemon,
  type SyslogDaemon,
  startRsyslog,
  startSyslogNg,
} from './support/receivers/syslog-daemons.ts';

// Syslog against the daemons that people run: their parsers say what a message holds.

const folder = mkdtempSync(join(tmpdir(), 'syslog-test-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const [authority, stranger] = await Promise.all([createAuthority('receivers'), createAuthority('strangers')]);
const files = {
  ca: pem('ca', authority.cert),
  strangers: pem('strangers', stranger.cert),
  ...(await pair('server')),
};
const client = await pair('client');

function pem(name: string, text: string): string {
  const path = join(folder, `${name}.pem`);
  writeFileSync(path, text);
  return path;
}

async function pair(name: string): Promise<{ cert: string; key: string }> {
  const { cert, key } = await authority.issue(name);
  return { cert: pem(`${name}-cert`, cert), key: pem(`${name}-key`, key) };
}

function open(t: TestContext, settings: object): Destination {
  const checked = syslog.schema.parse({ type: 'syslog', host: '127.0.0.1', timeout_ms: 10_000, ...settings });
  const destination = syslog.open(checked, context) as Destination;
  t.after(() => destination.close());
  return destination;
}

async function daemon(t: TestContext, start: StartDaemon, options: DaemonOptions): Promise<SyslogDaemon | undefined> {
  const started = await start(options);
  if (typeof started === 'string') {
    t.skip(started);
    return undefined;
  }
  t.after(() => started.stop());
  return started;
}

/** Names of structured data in lower case, as rsyslog gives them. */
function data({ sd }: ReadMessage): Record<string, string> {
  return Object.fromEntries(Object.entries(sd).map(([name, value]) => [name.toLowerCase(), value]));
}

function assertArrived(messages: readonly ReadMessage[], events: readonly ExportEvent[]): void {
  assert.deepEqual(
    messages.map((message) => data(message).eventid),
    events.map(({ id }) => id),
  );
  for (const [index, { host, app, msgid, message }] of messages.entries()) {
    const event = events[index]!;
    assert.deepEqual([host, app, msgid], ['collector-1', 'spanwarden', event.kind]);
    assert.equal((JSON.parse(message) as { event_id: string }).event_id, event.id);
  }
}

const events = [findingEvent(1, hostileText), caseEvent(2, hostileText), findingEvent(3)];

for (const [name, start] of [
  ['rsyslog', startRsyslog],
  ['syslog-ng', startSyslogNg],
] as const) {
  describe(name, () => {
    const plain = [
      { transport: 'tcp', framing: 'octet-counting' },
      { transport: 'tcp', framing: 'newline' },
      { transport: 'udp' },
    ] as const;
    for (const options of plain) {
      test(`reads events over ${Object.values(options).join(', ')}`, async (t) => {
        const receiver = await daemon(t, start, options);
        if (!receiver) return;
        const to = open(t, { ...options, port: receiver.port });
        assertDelivered(await send(to, events));
        const messages = await receiver.messages(events.length);
        assertArrived(messages, events);
        // local0 and the severity of the level: high is 3, critical 2.
        assert.ok(messages.every(({ pri }) => pri === 16 * 8 + 3 || pri === 16 * 8 + 2));
      });
    }

    test('reads events over TLS from one who shows a certificate, and from nobody else', async (t) => {
      const receiver = await daemon(t, start, { transport: 'tls', tls: files });
      if (!receiver) return;
      const tls = { ca_file: files.ca, cert_file: client.cert, key_file: client.key };
      const { port } = receiver;
      assertDelivered(await send(open(t, { port, tls }), events));
      assertArrived(await receiver.messages(events.length), events);
      const anonymous = await send(open(t, { port, tls: { ca_file: files.ca } }), events);
      assert.notEqual(anonymous.status, 'delivered');
      const suspicious = await send(open(t, { port, tls: { ...tls, ca_file: files.strangers } }), events);
      assert.equal(suspicious.status, 'misconfigured', JSON.stringify(suspicious));
      assert.match((suspicious as { reason: string }).reason, /not trusted .*tls\.ca_file/);
      assert.equal((await receiver.messages(events.length)).length, events.length);
    });

    test('after a receiver died, what it may not have read comes again, then what is new', async (t) => {
      const receiver = await daemon(t, start, { transport: 'tcp' });
      if (!receiver) return;
      const to = open(t, { transport: 'tcp', port: receiver.port });
      assertDelivered(await send(to, [findingEvent(1)]));
      await receiver.messages(1);
      await receiver.stop('SIGKILL');
      const down = await send(to, [findingEvent(2)]);
      assert.equal(down.status, 'retryable', JSON.stringify(down));
      await receiver.restart();
      assertDelivered(await send(to, [findingEvent(2)]));
      const ids = (await receiver.messages(3)).map((message) => data(message).eventid);
      assert.deepEqual(
        ids,
        [1, 1, 2].map((number) => findingEvent(number).id),
      );
    });
  });
}

test('texts are cut to what receivers take, and stay whole documents', async (t) => {
  const receiver = await daemon(t, startRsyslog, { transport: 'tcp' });
  if (!receiver) return;
  const to = open(t, { transport: 'tcp', port: receiver.port });
  const large = findingEvent(1, '\u0000"]\\'.repeat(50_000));
  assert.ok(to.encode(large).length <= 8192);
  assertDelivered(await send(to, [large]));
  assertArrived(await receiver.messages(1), [large]);
});

test('over udp a port without a listener, and anywhere a private address that is denied, is told', async (t) => {
  const nobody = await send(open(t, { transport: 'udp', port: 9 }), events);
  assert.equal(nobody.status, 'retryable', JSON.stringify(nobody));
  for (const [transport, host] of [
    ['udp', '127.0.0.1'],
    ['tcp', 'localhost'],
  ]) {
    const checked = syslog.schema.parse({ type: 'syslog', transport, host, port: 9 });
    const to = await syslog.open(checked, { ...context, denyPrivateAddresses: true });
    t.after(() => to.close());
    const denied = await send(to, events);
    assert.equal(denied.status, 'misconfigured', JSON.stringify(denied));
    assert.match((denied as { reason: string }).reason, /private address/);
  }
});

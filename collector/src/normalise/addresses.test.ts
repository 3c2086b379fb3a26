import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { hostClass, isOddAddress } from './addresses.ts';
import { isExternalHost, urlHost } from './network.ts';

const classOf = (written: string) => hostClass(urlHost(`http://${written}/`) ?? '');

test('each range has its class, at both of its ends', () => {
  const cases: Readonly<Record<string, readonly string[]>> = {
    external: [
      '8.8.8.8',
      '11.0.0.0',
      '9.255.255.255',
      '172.15.255.255',
      '172.32.0.0',
      '100.63.0.1',
      '100.128.0.1',
      '[2606:4700::1111]',
    ],
    private: [
      '10.0.0.0',
      '10.255.255.255',
      '172.16.0.1',
      '172.31.255.255',
      '192.168.1.1',
      '[fd12:3456::1]',
      '[fc00::1]',
    ],
    loopback: ['127.0.0.1', '127.255.255.255', '[::1]', 'localhost', 'app.localhost', 'localtest.me'],
    link_local: ['169.254.1.10', '[fe80::1]', '[febf::1]'],
    carrier_nat: ['100.64.0.1', '100.127.255.255'],
    multicast: ['224.0.0.1', '239.255.255.255', '[ff02::1]'],
    reserved: ['240.0.0.1', '255.255.255.255', '198.18.0.1', '198.19.255.255', '[100::1]'],
    unspecified: ['0.0.0.0', '[::]'],
    metadata: [
      '169.254.169.254',
      '169.254.170.2',
      '100.100.100.200',
      '[fd00:ec2::254]',
      'metadata.google.internal',
      'METADATA.google.internal.',
    ],
    internal_name: ['crm', 'crm.internal', 'db.prod.svc', 'printer.local'],
  };
  for (const [expected, hosts] of Object.entries(cases))
    for (const host of hosts) assert.equal(classOf(host), expected, host);
});

test('an address is what it is however it is written', () => {
  const metadata = [
    '0xA9FEA9FE',
    '2852039166',
    '0251.0376.0251.0376',
    '0xa9.0xfe.0xa9.0xfe',
    '169.254.43518',
    '169.0376.0xa9fe',
    '[::ffff:169.254.169.254]',
    '[::ffff:a9fe:a9fe]',
    '[::169.254.169.254]',
    '[64:ff9b::a9fe:a9fe]',
    '[2002:a9fe:a9fe::1]',
    '①⑥⑨.②⑤④.①⑥⑨.②⑤④',
    '169.254.169.254.nip.io',
    '169-254-169-254.sslip.io',
  ];
  for (const written of metadata) assert.equal(classOf(written), 'metadata', written);
  for (const written of ['0x7f.1', '017700000001', '2130706433', '127.1', '0', '[::ffff:7f00:1]']) {
    assert.ok(!isExternalHost(urlHost(`http://${written}/`)!), written);
  }
});

test('odd notations are told from ordinary ones', () => {
  assert.ok(isOddAddress('2852039166', '169.254.169.254'));
  assert.ok(isOddAddress('0x7f.1', '127.0.0.1'));
  assert.ok(isOddAddress('::ffff:7f00:1', '::ffff:7f00:1'));
  assert.ok(!isOddAddress('10.0.0.1', '10.0.0.1'));
  assert.ok(!isOddAddress('2606:4700::1111', '2606:4700::1111'));
});

test('every IPv4 address has the same class in every notation', () => {
  fc.assert(
    fc.property(fc.nat(0xffffffff), (address) => {
      const bytes = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);
      const dotted = bytes.join('.');
      const expected = hostClass(dotted);
      for (const written of [
        String(address),
        `0x${address.toString(16)}`,
        bytes.map((byte) => `0${byte.toString(8)}`).join('.'),
        `[::ffff:${dotted}]`,
      ])
        assert.equal(classOf(written), expected, written);
    }),
  );
});

test('any text has a class', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom(...'0123:.af%[]') })), (text) =>
      assert.equal(typeof hostClass(text), 'string'),
    ),
  );
});

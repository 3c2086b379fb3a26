import assert from 'node:assert/strict';
import type { LookupAddress } from 'node:dns';
import test from 'node:test';
import { AddressDenied, deniedLiteral, isPrivateAddress, publicLookup, type Resolve } from './addresses.ts';

const privateAddresses = [
  '0.0.0.0',
  '10.1.2.3',
  '100.64.0.1',
  '127.0.0.1',
  '127.255.255.254',
  '169.254.169.254',
  '168.63.129.16',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.1.1',
  '198.18.0.1',
  '224.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '[::1]',
  '::ffff:127.0.0.1',
  '::ffff:8.8.8.8',
  '::127.0.0.1',
  '64:ff9b::a00:1',
  'fe80::1',
  'fe80::1%eth0',
  'fc00::1',
  'fd00:ec2::254',
  'ff02::1',
  '2001::1',
  '2001:db8::1',
  '2002:7f00:1::',
  'not an address',
  '',
];
const publicAddresses = ['8.8.8.8', '1.1.1.1', '172.32.0.1', '100.128.0.1', '2606:4700:4700::1111', '[2a00:1450::1]'];

test('what is not globally reachable is private, however it is written', () => {
  assert.deepEqual(
    privateAddresses.filter((address) => !isPrivateAddress(address)),
    [],
  );
  assert.deepEqual(publicAddresses.filter(isPrivateAddress), []);
});

test('hosts that are written as addresses are looked at as URLs understand them', () => {
  const hosts = ['http://0x7f.1/', 'http://2130706433/', 'http://[::ffff:7f00:1]/', 'http://017700000001/'];
  for (const host of hosts) assert.ok(deniedLiteral(new URL(host).hostname) instanceof AddressDenied, host);
  for (const host of ['http://8.8.8.8/', 'http://siem.example/']) {
    assert.equal(deniedLiteral(new URL(host).hostname), undefined, host);
  }
});

function found(...addresses: string[]): Resolve {
  const all = addresses.map((address): LookupAddress => ({ address, family: address.includes(':') ? 6 : 4 }));
  return (_name, _options, done) => done(null, all);
}

function lookedUp(resolve: Resolve, all: boolean): Promise<unknown> {
  return new Promise((done, fail) =>
    publicLookup(resolve)('siem.example', { all }, (error, ...rest) => (error ? fail(error) : done(rest))),
  );
}

test('a name gives its addresses, one or all', async () => {
  const resolve = found('8.8.8.8', '2606:4700:4700::1111');
  assert.deepEqual(await lookedUp(resolve, false), ['8.8.8.8', 4]);
  assert.deepEqual(await lookedUp(resolve, true), [
    [
      { address: '8.8.8.8', family: 4 },
      { address: '2606:4700:4700::1111', family: 6 },
    ],
  ]);
});

test('a name with a private address among its addresses is denied, and the reason names it', async () => {
  for (const all of [false, true]) {
    await assert.rejects(lookedUp(found('8.8.8.8', '169.254.169.254'), all), {
      name: 'AddressDenied',
      message: /^siem\.example is at 169\.254\.169\.254, which is a private address/,
    });
  }
  await assert.rejects(lookedUp(found(), true), /has no address/);
  await assert.rejects(
    lookedUp((_name, _options, done) => done(new Error('EAI_AGAIN'), []), true),
    /EAI_AGAIN/,
  );
});

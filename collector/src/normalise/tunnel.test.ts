import assert from 'node:assert/strict';
import { test } from 'node:test';
import { carriesData } from './tunnel.ts';

test('names that carry data', () => {
  for (const host of [
    'mzxw6ytboi2gk3tnmzxw6ytboi2gk3tnmzxw6ytboi2gk3tn.x.evil.example',
    '636f6e66696720646174610a6d6f7265206461.7461206f6620746865206669.x.evil.example',
    'q7zx0kp2vb9nw4rt6ys1q7zx0kp2.vb9nw4rt6ys1q7zx0kp2vb.t.evil.co.uk',
    `${'0a1b2c3d4e5f'.repeat(5)}.evil.example`,
  ])
    assert.ok(carriesData(host), host);
});

test('names that clouds, content networks and people give', () => {
  for (const host of [
    'api.example.com',
    'd111111abcdef8.cloudfront.net',
    'r3---sn-4g5e6nsz.googlevideo.com',
    'a1b2c3d4e5f60718293a4b5c6d7e8f90-1234567890.us-east-1.elb.amazonaws.com',
    '6b1f0c0e-8f5a-4a3e-9c55-0a1b2c3d4e5f.ngrok.example',
    'my-very-long-staging-environment-for-the-new-shop.internal-tools.example.com',
    'ec2-203-0-113-25.compute-1.amazonaws.com',
    'xn--hnsbrse-5wah2dxd0ax4h.example',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.example.com',
    '203.0.113.7',
    '2001:db8::1',
    'localhost',
    'q7zx0kp2vb9nw4rt6ys1q7zx0kp2vb9nw4rt6ys1.example',
  ])
    assert.ok(!carriesData(host), host);
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { addressOf } from './address.ts';

const at = (settings: object, key = 'a/dt=1/b.gz'): string =>
  addressOf({ bucket: 'data', region: 'eu-central-1', ...settings }, key).href;

test('the bucket stands before the host at AWS, and in the path of other servers', () => {
  assert.equal(at({}), 'https://data.s3.eu-central-1.amazonaws.com/a/dt%3D1/b.gz');
  assert.equal(at({ region: 'cn-north-1' }), 'https://data.s3.cn-north-1.amazonaws.com.cn/a/dt%3D1/b.gz');
  assert.equal(at({ endpoint: 'http://127.0.0.1:9000/' }), 'http://127.0.0.1:9000/data/a/dt%3D1/b.gz');
  assert.equal(at({ endpoint: 'https://gateway.example/s3/' }), 'https://gateway.example/s3/data/a/dt%3D1/b.gz');
});

test('what the certificate of AWS does not cover stands in the path, and so does what is told to', () => {
  assert.equal(at({ bucket: 'my.data' }), 'https://s3.eu-central-1.amazonaws.com/my.data/a/dt%3D1/b.gz');
  assert.equal(at({ path_style: true }), 'https://s3.eu-central-1.amazonaws.com/data/a/dt%3D1/b.gz');
  assert.equal(
    at({ endpoint: 'https://fra1.example:8443', path_style: false }),
    'https://data.fra1.example:8443/a/dt%3D1/b.gz',
  );
});

import assert from 'node:assert/strict';
import test from 'node:test';
import { signedHeaders, uriEncoded } from './signature.ts';

// The example of a PUT that Amazon shows with all its intermediate results.
// https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html#example-signature-calculations

const credentials = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
};

test('the signature of the example in the documentation', () => {
  const headers = signedHeaders(
    {
      method: 'PUT',
      url: new URL(`https://examplebucket.s3.amazonaws.com/${uriEncoded('test$file.text')}`),
      headers: { date: 'Fri, 24 May 2013 00:00:00 GMT', 'x-amz-storage-class': 'REDUCED_REDUNDANCY' },
      body: Buffer.from('Welcome to Amazon S3.'),
      gzip: false,
    },
    credentials,
    { service: 's3', region: 'us-east-1' },
    Date.UTC(2013, 4, 24),
  );
  assert.equal(
    headers.authorization,
    'AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, ' +
      'SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class, ' +
      'Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd',
  );
  assert.equal(headers['x-amz-content-sha256'], '44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072');
  assert.equal('host' in headers, false);
});

test('a session token is sent and signed', () => {
  const headers = signedHeaders(
    { url: new URL('https://sts.eu-west-1.amazonaws.com/'), headers: {}, body: Buffer.alloc(0), gzip: false },
    { ...credentials, sessionToken: 'token' },
    { service: 'sts', region: 'eu-west-1' },
    0,
  );
  assert.equal(headers['x-amz-security-token'], 'token');
  assert.match(headers.authorization ?? '', /;x-amz-security-token, /);
  assert.match(headers.authorization ?? '', /\/19700101\/eu-west-1\/sts\/aws4_request/);
});

test('a path is written as it is signed', () => {
  assert.equal(uriEncoded("ext/a=b/~x-y_z.ä !'()*"), 'ext/a%3Db/~x-y_z.%C3%A4%20%21%27%28%29%2A');
  const url = new URL(`https://s3.example/${uriEncoded('ext/region=eu/!$&.x')}`);
  assert.equal(url.pathname, '/ext/region%3Deu/%21%24%26.x');
});

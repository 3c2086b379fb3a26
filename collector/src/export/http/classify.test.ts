import assert from 'node:assert/strict';
import test from 'node:test';
import { limits } from '../../model/limits.ts';
import { classify, retryAfter } from './classify.ts';
import type { HttpAnswer } from './client.ts';
import { shower } from './reason.ts';

const now = Date.UTC(2026, 0, 1);

function answer(code: number, headers: HttpAnswer['headers'] = {}, text = ''): HttpAnswer {
  return {
    status: 'answered',
    code,
    headers,
    bytes: Buffer.from(text),
    text,
    isWhole: true,
    host: 'siem.example',
    show: shower(['hidden']),
  };
}

test('each status code means one thing', () => {
  const meant: Record<string, number[]> = {
    delivered: [200, 201, 202, 204],
    misconfigured: [301, 302, 307, 308, 401, 403, 404, 405, 406, 407, 410, 415, 451, 501, 505],
    refused: [400, 409, 422],
    too_large: [413],
    retryable: [408, 425, 429, 500, 502, 503, 504, 507, 529, 599],
  };
  for (const [status, codes] of Object.entries(meant)) {
    for (const code of codes) assert.equal(classify(answer(code), { now }).status, status, String(code));
  }
  assert.equal(classify(answer(410), { now, codes: { 410: 'refused' } }).status, 'refused');
});

test('the reason has the words of the receiver', () => {
  const outcome = classify(answer(503, {}, 'hidden\nqueue full'), { now });
  assert.deepEqual(outcome, { status: 'retryable', reason: 'HTTP 503 Service Unavailable: [REDACTED] queue full' });
});

test('a redirect says where it points, without what may be secret', () => {
  const outcome = classify(answer(302, { location: 'https://u:p@login.example/hidden/x?token=1' }), { now });
  assert.match((outcome as { reason: string }).reason, /points to https:\/\/login\.example\/\[REDACTED\]\/x;/);
});

test('Retry-After is seconds or a date, and bounded', () => {
  assert.equal(retryAfter('7', now), 7000);
  assert.equal(retryAfter(' 1.5 ', now), 1500);
  assert.equal(retryAfter('Thu, 01 Jan 2026 00:00:09 GMT', now), 9000);
  assert.equal(retryAfter('Thu, 01 Jan 2015 00:00:09 GMT', now), 0);
  assert.equal(retryAfter('999999999', now), limits.exportRetryAfterMsMax);
  for (const text of [undefined, '', 'soon', '-', '1e9x']) assert.equal(retryAfter(text, now), undefined, text);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Admission, type MemoryLevel, type Place } from './admission.ts';

const mebibyte = 1024 * 1024;

function entered(admission: Admission, bytes: number): Place {
  const place = admission.enter(bytes, false);
  assert.ok(!('status' in place), 'it is let in');
  return place;
}

const codeOf = (admission: Admission, bytes: number, isPacked = false) => {
  const place = admission.enter(bytes, isPacked);
  return 'status' in place ? place.code : 'in';
};

test('what is announced counts before it is there, and packed bodies as what they usually become', () => {
  const admission = new Admission({ bytesMax: 8 * mebibyte });
  const place = entered(admission, 4 * mebibyte);
  assert.equal(codeOf(admission, 5 * mebibyte), 'SW_RECEIVE_BUSY');
  assert.equal(codeOf(admission, 2 * mebibyte, true), 'SW_RECEIVE_BUSY');
  place.leave();
  place.leave();
  assert.equal(admission.heldBytes, 0);
  assert.equal(codeOf(admission, 5 * mebibyte), 'in');
  assert.deepEqual(admission.refused, { bytes: 2, wait: 0, late: 0, memory: 0 });
});

test('the last byte there is room for is given, none beyond it, and one alone is let in however large', () => {
  const alone = new Admission({ bytesMax: mebibyte });
  entered(alone, 2 * mebibyte).leave();
  const admission = new Admission({ bytesMax: mebibyte });
  entered(admission, mebibyte / 2);
  assert.equal(codeOf(admission, mebibyte / 2 + 1), 'SW_RECEIVE_BUSY');
  assert.equal(codeOf(admission, mebibyte / 2), 'in');
  assert.equal(admission.heldBytes, mebibyte);
  assert.equal(codeOf(admission, 1), 'SW_RECEIVE_BUSY', 'the smallest counts as 16 KiB');
});

test('what comes out of packing counts, and what is held alone may be more than all may hold', () => {
  const admission = new Admission({ bytesMax: mebibyte });
  const first = entered(admission, 1000);
  assert.equal(first.unpacked(1000, 2 * mebibyte), undefined);
  first.leave();
  const [one, other] = [entered(admission, 1000), entered(admission, 1000)];
  assert.equal(one.unpacked(1000, 2 * mebibyte)?.code, 'SW_RECEIVE_BUSY');
  one.leave();
  assert.equal(other.hold(2 * mebibyte), undefined);
  other.leave();
  assert.equal(admission.heldBytes, 0);
});

test('how much larger bodies become is learned, and believed up to sixteenfold', () => {
  const admission = new Admission({ bytesMax: 64 * mebibyte });
  const heldFor = () => {
    const place = admission.enter(mebibyte, true);
    assert.ok(!('status' in place));
    const held = admission.heldBytes;
    return { held, unpacked: (bytes: number) => place.unpacked(mebibyte, bytes), leave: () => place.leave() };
  };
  const learn = (times: number, bytes: number) => {
    for (let i = 0; i < times; i++) {
      const { unpacked, leave } = heldFor();
      unpacked(bytes);
      leave();
    }
    const { held, leave } = heldFor();
    leave();
    return held / mebibyte;
  };
  assert.equal(learn(0, 0), 4);
  assert.ok(learn(100, 2 * mebibyte) < 2.1);
  const most = learn(100, 60 * mebibyte);
  assert.ok(most > 15.9 && most <= 16, String(most));
});

test('a body of unknown length counts as a small one until it is there', () => {
  const admission = new Admission({ bytesMax: mebibyte });
  const place = admission.enter(undefined, false);
  assert.ok(!('status' in place));
  assert.equal(admission.heldBytes, 16 * 1024);
  place.hold(100_000);
  assert.equal(admission.heldBytes, 100_000);
});

test('those who are told to come again are told different times', () => {
  const admission = new Admission({ bytesMax: mebibyte, memory: () => 'full' });
  const times = Array.from({ length: 6 }, () => {
    const place = admission.enter(1000, false);
    assert.ok('status' in place && place.status === 'retryable');
    return place.retryAfterMs;
  });
  assert.deepEqual(times.toSorted(), [1000, 1000, 2000, 2000, 3000, 3000]);
});

/** One that knows that a mebibyte takes 100 ms, and may take as long as a test says. */
async function measured(waitMsMax: number) {
  let ms = 0;
  const admission = new Admission({ bytesMax: 1024 * mebibyte, waitMsMax, clock: () => ms });
  const work = (bytes: number, takesMs: number) => async () => {
    ms += takesMs;
    return bytes;
  };
  for (let i = 0; i < 100; i++) {
    const place = entered(admission, mebibyte);
    await place.work(mebibyte, work(mebibyte, 100));
    place.leave();
  }
  return { admission, work };
}

test('once it is known how long requests take, those that are foreseen to wait are refused', async () => {
  const { admission, work } = await measured(2_000);
  const places: Place[] = [];
  for (let i = 0; i < 100 && admission.waitMs <= 1_000; i++) places.push(entered(admission, mebibyte));
  assert.ok(places.length >= 10 && places.length <= 12, String(places.length));
  assert.equal(codeOf(admission, mebibyte), 'SW_RECEIVE_BUSY');
  assert.equal(admission.refused.wait, 1);
  await Promise.all(places.slice(0, 5).map((place) => place.work(mebibyte, work(1, 100))));
  assert.equal(codeOf(admission, mebibyte), 'in', 'work that is done no longer waits');
});

test('what takes longer than was foreseen makes nobody wait for more than is allowed: the rest is refused, and not worked on', async () => {
  const { admission, work } = await measured(2_000);
  const places = [1, 2, 3, 4, 5].map(() => entered(admission, mebibyte));
  const outcomes = await Promise.all(places.map((place, index) => place.work(mebibyte, work(index, 1000))));
  // Begun after 0, 1000 and 2000 ms, which is as long as is allowed.
  assert.deepEqual(outcomes.slice(0, 3), [0, 1, 2]);
  for (const outcome of outcomes.slice(3)) {
    assert.ok(typeof outcome === 'object' && outcome.status === 'retryable' && outcome.retryAfterMs > 0);
    assert.match(outcome.message, /more than 2000 ms/);
  }
  assert.equal(admission.refused.late, 2);
  assert.equal(admission.waitMs, 0);
  for (const place of places) place.leave();
  assert.equal(admission.heldBytes, 0);
  const next = await entered(admission, mebibyte).work(mebibyte, work(6, 900));
  assert.equal(next, 6, 'the turns go on behind them');
});

test('who waits for as long as is allowed is told so at once, and waiting to unpack counts', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  let ms = 0;
  const tick = (by: number) => {
    ms += by;
    context.mock.timers.tick(by);
  };
  const admission = new Admission({ bytesMax: mebibyte, waitMsMax: 500, clock: () => ms });
  const [first, second, third] = [1, 2, 3].map(() => entered(admission, 1000)) as [Place, Place, Place];
  let unpacked = () => {};
  const unpacking = first.unpack(() => new Promise<string>((done) => (unpacked = () => done('first'))));
  const other = second.unpack(async () => 'second');
  tick(300);
  const last = third.unpack(async () => 'third');
  tick(200);
  assert.equal(((await other) as { code: string }).code, 'SW_RECEIVE_BUSY');
  tick(100);
  unpacked();
  assert.deepEqual(await Promise.all([unpacking, last]), ['first', 'third']);
  // It has waited for 300 ms.
  first.work(1000, async () => void tick(201));
  const late = await third.work(1000, async () => 'worked');
  assert.equal((late as { code: string }).code, 'SW_RECEIVE_BUSY');
  assert.equal(admission.refused.late, 2);
});

test('senders that announce and do not send keep nobody out for long, and small ones not at all', async (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const admission = new Admission({ bytesMax: 100 * mebibyte });
  for (let i = 0; i < 1000; i++) entered(admission, 1000);
  assert.equal(admission.waitMs, 0);
  for (let i = 0; i < 100 && codeOf(admission, mebibyte) === 'in'; i++);
  assert.equal(codeOf(admission, mebibyte), 'SW_RECEIVE_BUSY');
  context.mock.timers.tick(1_000);
  assert.equal(codeOf(admission, mebibyte), 'in');
});

test('with little memory left one comes in at a time, with none nobody', () => {
  let level: MemoryLevel = 'tight';
  const admission = new Admission({ bytesMax: mebibyte, memory: () => level });
  const place = entered(admission, 1000);
  assert.equal(codeOf(admission, 1000), 'SW_RECEIVE_MEMORY');
  place.leave();
  entered(admission, 1000).leave();
  level = 'full';
  assert.equal(codeOf(admission, 1000), 'SW_RECEIVE_MEMORY');
  level = 'free';
  assert.equal(codeOf(admission, 1000), 'in');
});

test('who leaves twice gives back once, and what left unworked keeps nobody waiting', () => {
  let level: MemoryLevel = 'free';
  const admission = new Admission({ bytesMax: 1024 * mebibyte, memory: () => level });
  const [first, second] = [entered(admission, mebibyte / 2), entered(admission, 1000)];
  assert.ok(admission.waitMs > 0);
  first.leave();
  first.leave();
  assert.equal(admission.waitMs, 0);
  level = 'tight';
  assert.equal(codeOf(admission, 1000), 'SW_RECEIVE_MEMORY', 'one is still there');
  second.leave();
  assert.equal(codeOf(admission, 1000), 'in');
});

test('at a stop nobody is let in, and those whose body does not come are told so after their time', (context) => {
  context.mock.timers.enable({ apis: ['setTimeout'] });
  const admission = new Admission({ bytesMax: mebibyte });
  const told: string[] = [];
  const over = admission.whileReading(() => told.push('one whose body came'));
  admission.whileReading(({ code }) => told.push(code));
  admission.stop(500);
  assert.equal(codeOf(admission, 1000), 'SW_SHUTTING_DOWN');
  over();
  context.mock.timers.tick(499);
  assert.deepEqual(told, []);
  context.mock.timers.tick(1);
  assert.deepEqual(told, ['SW_SHUTTING_DOWN']);
});

test('one works at a time, and the event loop comes round in between', async () => {
  const admission = new Admission({ bytesMax: mebibyte });
  const order: string[] = [];
  const places = [1, 2, 3].map(() => entered(admission, 1000));
  const done = places.map((place, i) => place.work(1000, async () => void order.push(`work ${i}`)));
  const other = () => {
    order.push('other');
    if (order.length < 10) setImmediate(other);
  };
  setImmediate(other);
  await Promise.all(done);
  const works = order.filter((what) => what !== 'other');
  assert.deepEqual(works, ['work 0', 'work 1', 'work 2']);
  for (const work of works.slice(0, 2)) assert.equal(order[order.indexOf(work) + 1], 'other');
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { calcPrice } from '@pydantic/genai-prices';
import fc from 'fast-check';
import { Prices } from './prices.ts';

const timeMs = Date.UTC(2026, 10, 1);
const none = { input: 0, output: 0, cacheRead: 0, cacheWrite: 0 };

test('the rates of a day give what the table gives', () => {
  const prices = new Prices();
  const models = [
    ['openai', 'gpt-5'],
    ['openai', 'gpt-4o-mini'],
    ['anthropic', 'claude-sonnet-4-5'],
    ['anthropic', 'claude-3-5-haiku-latest'],
    ['gcp.gemini', 'gemini-2.5-pro'],
    ['mistral_ai', 'mistral-large-latest'],
  ] as const;
  const count = fc.nat({ max: 2_000_000 });
  fc.assert(
    fc.property(fc.constantFrom(...models), count, count, fc.nat(), fc.nat(), (named, input, output, a, b) => {
      const [provider, model] = named;
      const cacheRead = a % (input + 1);
      const cacheWrite = b % (input - cacheRead + 1);
      const given = prices.cost(provider, model, { input, output, cacheRead, cacheWrite }, timeMs);
      const usage = {
        input_tokens: input,
        output_tokens: output,
        ...(cacheRead > 0 && { cache_read_tokens: cacheRead }),
        ...(cacheWrite > 0 && { cache_write_tokens: cacheWrite }),
      };
      const wanted = calcPrice(usage, model, { providerId: provider, timestamp: new Date(timeMs) })?.total_price;
      assert.ok(given !== undefined && wanted !== undefined);
      assert.ok(Math.abs(given - wanted) <= 1e-9 * Math.max(1, wanted), `${model}: ${given} is not ${wanted}`);
    }),
    { numRuns: 300 },
  );
});

test('a model that nobody knows has no price, and is counted', () => {
  const prices = new Prices();
  assert.equal(prices.cost('openai', 'gpt-made-up', { ...none, input: 10 }, timeMs), undefined);
  assert.equal(prices.cost('nobody', 'gpt-5', { ...none, input: 10 }, timeMs), undefined);
  assert.equal(prices.cost('', '', { ...none, input: 10 }, timeMs), undefined);
  assert.equal(prices.unknown, 3);
});

test('prices of the config come first, those of one provider before those of the model', () => {
  const prices = new Prices({
    'gpt-5': { input: 1, output: 2 },
    'azure.ai.openai/gpt-5': { input: 10, output: 20, cache_read: 5 },
  });
  const tokens = { input: 1_000_000, output: 1_000_000, cacheRead: 500_000, cacheWrite: 0 };
  assert.equal(prices.cost('openai', 'gpt-5', tokens, timeMs), 3);
  assert.equal(prices.cost('azure.ai.openai', 'gpt-5', tokens, timeMs), 27.5);
  assert.equal(prices.cost('openai', 'constructor', tokens, timeMs), undefined);
});

test('no names and no counts make it throw', () => {
  const prices = new Prices();
  const count = fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true }));
  fc.assert(
    fc.property(fc.string(), fc.string(), count, count, count, (provider, model, input, cacheRead, cacheWrite) => {
      prices.cost(provider, model, { input, output: 0, cacheRead, cacheWrite }, timeMs);
    }),
  );
});

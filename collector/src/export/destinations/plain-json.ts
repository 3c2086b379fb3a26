import type { Format } from '../contract.ts';

/** The event as it is, as JSON; numbers beyond 2^53 as texts. */
export const plainJson: Format = {
  contentType: 'application/json',
  encode: (event, context) => {
    for (let charsMax = 16_384; ; charsMax >>= 1) {
      const text = JSON.stringify({ ...event, ...context.extraFields(event) }, (_key, value: unknown) => {
        if (typeof value === 'bigint') return String(value);
        return typeof value === 'string' && value.length > charsMax ? `${value.slice(0, charsMax)}…` : value;
      });
      if (charsMax === 0 || Buffer.byteLength(text) <= context.bytesMax) return text;
    }
  },
};

import { globMatcher } from '../filter.ts';

/**
 * Cuts requests in protobuf down to the resources of some services: the messages of others are left out, all other bytes stay what they
 * are. Requests were decoded when they came in, so what cannot be read here is kept.
 *
 * | message | fields |
 * |---|---|
 * | Export…ServiceRequest | 1 ResourceSpans, ResourceLogs, ResourceMetrics |
 * | Resource… | 1 Resource |
 * | Resource | 1 attributes: 1 key, 2 AnyValue with 1 string_value |
 *
 * @returns a function that gives the request itself, a shorter one, or undefined where nothing is left.
 */
export function servicesCut(patterns: readonly string[]): (request: Buffer) => Buffer | undefined {
  const wanted = patterns.map(globMatcher);
  return (request) => {
    const kept: Buffer[] = [];
    let isCut = false;
    for (const { field, start, from, to } of fieldsIn(request, 0, request.length)) {
      if (field === 1 && !wanted.some((fits) => fits(serviceIn(request, from, to)))) isCut = true;
      else kept.push(request.subarray(start, to));
    }
    if (!isCut) return request;
    return kept.length === 0 ? undefined : Buffer.concat(kept);
  };
}

/** The last service.name of a resource; '' where there is none. */
function serviceIn(bytes: Buffer, from: number, to: number): string {
  let name = '';
  for (const resource of fieldsIn(bytes, from, to)) {
    if (resource.field !== 1) continue;
    for (const attribute of fieldsIn(bytes, resource.from, resource.to)) {
      if (attribute.field !== 1) continue;
      const parts = [...fieldsIn(bytes, attribute.from, attribute.to)];
      const key = parts.findLast(({ field }) => field === 1);
      const value = parts.findLast(({ field }) => field === 2);
      if (key === undefined || value === undefined || bytes.toString('utf8', key.from, key.to) !== 'service.name')
        continue;
      const text = [...fieldsIn(bytes, value.from, value.to)].findLast(({ field }) => field === 1);
      if (text !== undefined) name = bytes.toString('utf8', text.from, text.to);
    }
  }
  return name;
}

interface Field {
  readonly field: number;
  /** Where its tag begins, and its content. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

/** The length-delimited fields of a message, others stepped over as field 0; ends with one where the bytes are no protobuf. */
function* fieldsIn(bytes: Buffer, from: number, to: number): Generator<Field> {
  let at = from;
  const varint = (): number => {
    let value = 0;
    for (let scale = 1; at < to && scale <= 2 ** 63; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    return Number.NaN;
  };
  while (at < to) {
    const start = at;
    const tag = varint();
    const wireType = tag % 8;
    const isText = wireType === 2;
    const length = isText ? varint() : 0;
    const content = at;
    if (isText) at += length;
    else if (wireType === 0) varint();
    else at += wireType === 1 ? 8 : wireType === 5 ? 4 : Number.NaN;
    const isWhole = at <= to;
    if (!isWhole) at = to;
    yield { field: isWhole && isText ? Math.floor(tag / 8) : 0, start, from: content, to: at };
  }
}

import { otlpJsonToProtobuf } from '../decode/json.ts';

/** An ExportMetricsServiceRequest in OTLP/JSON with one metric of each kind, at this time, and one data point each. */
export function otlpMetricsJson(nanos: bigint, service = 'test'): object {
  const times = { startTimeUnixNano: String(nanos - 1_000_000_000n), timeUnixNano: String(nanos) };
  const attributes = [{ key: 'model', value: { stringValue: 'm-1' } }];
  const exemplar = {
    ...{ timeUnixNano: String(nanos), traceId: 'ab'.repeat(16), spanId: 'cd'.repeat(8), asDouble: 0.5 },
    filteredAttributes: [{ key: 'user', value: { stringValue: 'u' } }],
  };
  const point = { ...times, attributes, flags: 1 };
  const spread = { count: '4', sum: 10.5, min: 0.5, max: 7 };
  const metrics = [
    { name: 'a.gauge', description: 'd', unit: '1', gauge: { dataPoints: [{ ...point, asInt: '-7' }] } },
    {
      ...{ name: 'a.sum', unit: '{token}' },
      sum: {
        ...{ aggregationTemporality: 2, isMonotonic: true },
        dataPoints: [{ ...point, asDouble: 2.5, exemplars: [exemplar] }],
      },
    },
    {
      name: 'a.histogram',
      histogram: {
        aggregationTemporality: 1,
        dataPoints: [{ ...point, ...spread, bucketCounts: ['1', '3'], explicitBounds: [2], exemplars: [exemplar] }],
      },
    },
    {
      name: 'an.exponential',
      exponentialHistogram: {
        aggregationTemporality: 2,
        dataPoints: [
          {
            ...{ ...point, ...spread, scale: -1, zeroCount: '1' },
            positive: { offset: -3, bucketCounts: ['1', '18446744073709551615'] },
            negative: { offset: 2, bucketCounts: [1] },
          },
        ],
      },
    },
    {
      name: 'a.summary',
      summary: {
        dataPoints: [
          {
            ...point,
            count: '4',
            sum: 10.5,
            quantileValues: [
              { quantile: 0.5, value: 2 },
              { quantile: 1, value: 7 },
            ],
          },
        ],
      },
    },
  ];
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  return {
    resourceMetrics: [{ resource, schemaUrl: 'r', scopeMetrics: [{ scope: { name: 's', version: '1' }, metrics }] }],
  };
}

/** The same in protobuf. */
export function otlpMetricsProtobuf(nanos: bigint, service?: string): Buffer {
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(otlpMetricsJson(nanos, service))), 'metrics');
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  return outcome.bytes;
}

export interface TestSum {
  readonly name: string;
  readonly value: number;
  /** 0 for a point without a time. */
  readonly nanos: bigint;
  readonly unit?: string;
}

/** One sum for each, with one data point. */
export function otlpSumProtobuf(sums: readonly TestSum[], service = 'test'): Buffer {
  const metrics = sums.map(({ name, value, nanos, unit = '1' }) => {
    const point = { ...(nanos !== 0n && { timeUnixNano: String(nanos) }), asInt: String(value) };
    return { name, unit, sum: { aggregationTemporality: 2, isMonotonic: true, dataPoints: [point] } };
  });
  const resource = { attributes: [{ key: 'service.name', value: { stringValue: service } }] };
  const body = { resourceMetrics: [{ resource, scopeMetrics: [{ scope: { name: 's' }, metrics }] }] };
  const outcome = otlpJsonToProtobuf(Buffer.from(JSON.stringify(body)), 'metrics');
  if (outcome.status !== 'ok') throw new Error(outcome.message);
  return outcome.bytes;
}

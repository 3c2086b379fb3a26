import { readFileSync } from 'node:fs';

export interface OtlpConfig {
  readonly url: URL;
  readonly format: 'protobuf' | 'json';
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly gzip: boolean;
  readonly tls: { readonly ca?: Buffer; readonly cert?: Buffer; readonly key?: Buffer };
}

export interface QueueConfig {
  readonly spansMax: number;
  readonly bytesMax: number;
  readonly batchSpansMax: number;
  readonly batchBytesMax: number;
  readonly delayMs: number;
}

const endpointDefault = 'http://127.0.0.1:4318';

/**
 * The OTLP exporter variables, the ones for traces before the general ones.
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/ – what cannot be used is told to `warn` and replaced by the
 * default, never thrown: a typo in a variable must not stop an agent. An endpoint that is no URL throws.
 */
export function otlpConfigFrom(env: NodeJS.ProcessEnv, warn: (message: string) => void): OtlpConfig {
  const of = (name: string): string | undefined =>
    env[`OTEL_EXPORTER_OTLP_TRACES_${name}`]?.trim() || env[`OTEL_EXPORTER_OTLP_${name}`]?.trim() || undefined;
  const protocol = of('PROTOCOL') ?? 'http/protobuf';
  if (protocol !== 'http/protobuf' && protocol !== 'http/json') {
    warn(
      `OTEL_EXPORTER_OTLP_PROTOCOL=${protocol} is not supported, using http/protobuf; write http/protobuf or http/json`,
    );
  }
  return {
    url: endpoint(env),
    format: protocol === 'http/json' ? 'json' : 'protobuf',
    headers: { ...keyValues(env.OTEL_EXPORTER_OTLP_HEADERS), ...keyValues(env.OTEL_EXPORTER_OTLP_TRACES_HEADERS) },
    timeoutMs: positive(of('TIMEOUT'), 10_000),
    gzip: of('COMPRESSION') === 'gzip',
    tls: tlsFiles(of, warn),
  };
}

/** Which of the exporters `otlp` and `console` OTEL_TRACES_EXPORTER asks for; `otlp` when unset or unknown, none for `none`. */
export function exporterNames(env: NodeJS.ProcessEnv): readonly string[] {
  const names = (env.OTEL_TRACES_EXPORTER ?? '').split(',').map((name) => name.trim().toLowerCase());
  const known = names.filter((name) => name === 'otlp' || name === 'console' || name === 'none');
  if (known.length === 0) return ['otlp'];
  return known.filter((name) => name !== 'none');
}

/** The batch span processor's variables. The delay is 1 s where OTel says 5 s: a finding should not wait for its span. */
export function queueConfigFrom(env: NodeJS.ProcessEnv): QueueConfig {
  const spansMax = positive(env.OTEL_BSP_MAX_QUEUE_SIZE, 2048);
  return {
    spansMax,
    bytesMax: positive(env.SPANWARDEN_QUEUE_MAX_BYTES, 64 * 1024 * 1024),
    batchSpansMax: Math.min(positive(env.OTEL_BSP_MAX_EXPORT_BATCH_SIZE, 512), spansMax),
    batchBytesMax: 2 * 1024 * 1024,
    delayMs: positive(env.OTEL_BSP_SCHEDULE_DELAY, 1000),
  };
}

/** `k=v,k2=v2` with percent-encoded values, as headers and resource attributes are written in variables. */
export function keyValues(text: string | undefined): Record<string, string> {
  const pairs: Record<string, string> = {};
  for (const item of (text ?? '').split(',')) {
    const equals = item.indexOf('=');
    if (equals < 1) continue;
    const key = item.slice(0, equals).trim();
    if (key !== '' && key !== '__proto__') pairs[key] = decoded(item.slice(equals + 1).trim());
  }
  return pairs;
}

/** A positive whole number from a variable, else the default. */
export function positive(text: string | undefined, otherwise: number): number {
  const value = Number(text);
  return text !== undefined && text.trim() !== '' && Number.isSafeInteger(value) && value > 0 ? value : otherwise;
}

/** The traces endpoint is used as it is; the general one gets `/v1/traces` appended. */
function endpoint(env: NodeJS.ProcessEnv): URL {
  const exact = env.OTEL_EXPORTER_OTLP_TRACES_ENDPOINT?.trim();
  const base = env.OTEL_EXPORTER_OTLP_ENDPOINT?.trim() || endpointDefault;
  const text = exact || `${base.replace(/\/+$/, '')}/v1/traces`;
  const url = /^https?:\/\/[^/]/i.test(text) ? URL.parse(text) : null;
  if (!url) {
    throw new Error(`the OTLP endpoint "${text}" is no http or https URL; write e.g. ${endpointDefault}`);
  }
  return url;
}

function tlsFiles(of: (name: string) => string | undefined, warn: (message: string) => void): OtlpConfig['tls'] {
  const read = (name: string): Buffer | undefined => {
    const path = of(name);
    if (!path) return undefined;
    try {
      return readFileSync(path);
    } catch {
      warn(`OTEL_EXPORTER_OTLP_${name}: the file ${path} cannot be read`);
      return undefined;
    }
  };
  const ca = read('CERTIFICATE');
  const cert = read('CLIENT_CERTIFICATE');
  const key = read('CLIENT_KEY');
  return { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

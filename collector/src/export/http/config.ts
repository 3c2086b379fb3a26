import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { z } from 'zod';
import { SpanwardenError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import { Secret } from '../../model/secret.ts';
import { HttpClient } from './client.ts';

const headersMax = 32;
const path = z.string().min(1).optional();

/** Settings that every destination over HTTP has. */
export const httpSettings = {
  timeout_ms: z
    .int()
    .min(100)
    .max(300_000)
    .default(30_000)
    .describe(
      'Milliseconds for one request: connecting, sending and reading the answer. Default 30000. What takes longer is sent again, ' +
        'so a short one makes duplicates where the receiver is slow.',
    ),
  tls: z
    .strictObject({
      ca_file: path.describe(
        "PEM file of the CAs that may have issued the receiver's certificate. Default: those that Node trusts.",
      ),
      cert_file: path.describe("PEM file of the collector's own certificate and its chain. Default none."),
      key_file: path.describe('PEM file of the key of cert_file. Default none.'),
    })
    .refine(({ cert_file, key_file }) => (cert_file === undefined) === (key_file === undefined), {
      error: 'cert_file and key_file go together',
    })
    .optional()
    .describe(
      "Files for TLS, read at the start, and again after a failure. The receiver's certificate is always verified. Default none.",
    ),
};

export interface HttpConfig {
  readonly timeout_ms: number;
  readonly tls?:
    | {
        readonly ca_file?: string | undefined;
        readonly cert_file?: string | undefined;
        readonly key_file?: string | undefined;
      }
    | undefined;
}

/** What a client has to know of the collector around it. */
export interface HttpContext {
  readonly product: { readonly name: string; readonly version: string };
  readonly denyPrivateAddresses: boolean;
}

/** An address without a secret in it. */
export function urlSetting(example: string) {
  return z
    .url({ protocol: /^https?$/, error: `must be an http or https URL, for example ${example}` })
    .refine((url) => !/^[^/]*\/\/[^/]*@/.test(url), 'must hold no user and no password: use the settings for those')
    .refine((url) => !/[?#]/.test(url), 'must hold neither ? nor #');
}

/** An address whose path or query is a secret of its own. */
export function secretUrlSetting(example: string) {
  return z
    .url({ protocol: /^https?$/, error: `must be an http or https URL, for example ${example}` })
    .refine((url) => !/^[^/]*\/\/[^/]*@/.test(url), 'must hold no user and no password')
    .transform((url) => new Secret(url));
}

/** A text that is sent in a header or a field and never shown. */
export function secretSetting() {
  return z
    .string()
    .min(1)
    .max(16_384)
    .regex(/^[\x21-\x7e]*$/, 'takes printable ASCII characters without blanks')
    .transform((text) => new Secret(text));
}

export function headersSetting() {
  return z
    .record(
      z
        .string()
        .regex(/^[A-Za-z0-9-]{1,128}$/, 'must be the name of a header')
        .refine((name) => !reserved.test(name), 'is a header that the collector sets itself'),
      z
        .string()
        .min(1)
        .max(8192)
        .regex(/^[\x20-\x7e]*$/, 'takes printable ASCII characters')
        .transform((text) => new Secret(text)),
    )
    .refine((headers) => Object.keys(headers).length <= headersMax, `at most ${headersMax} headers`);
}

const reserved =
  /^(content-(length|type|encoding)|host|connection|transfer-encoding|expect|upgrade|te|trailer|webhook-.*)$/i;

export function revealed(headers: Readonly<Record<string, Secret>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.reveal()]));
}

/**
 * The client of one destination.
 * @param secrets never shown; of secret URLs the path and the query, of basic authentication also the encoded form.
 * @throws SpanwardenError for files of `tls` that cannot be used.
 */
export function httpClient(config: HttpConfig, context: HttpContext, secrets: readonly string[]): HttpClient {
  const { tls } = config;
  return new HttpClient({
    timeoutMs: config.timeout_ms,
    userAgent: `${context.product.name.toLowerCase().replace(/[^a-z0-9-]+/g, '-')}/${context.product.version}`,
    secrets,
    readTls: tls && (() => tlsFiles(tls)),
    denyPrivateAddresses: context.denyPrivateAddresses,
  });
}

/** What is secret of an address: its path and its query, as a whole and in pieces that stand alone. */
export function urlSecrets(url: URL): string[] {
  const pieces = url.pathname.split('/').filter((piece) => piece.length >= 16);
  return [url.pathname + url.search, url.pathname, url.search.slice(1), ...url.searchParams.values(), ...pieces];
}

export function tlsFiles({ ca_file, cert_file, key_file }: NonNullable<HttpConfig['tls']>): SecureContextOptions {
  const context = {
    ...(ca_file !== undefined && { ca: read(ca_file) }),
    ...(cert_file !== undefined && { cert: read(cert_file) }),
    ...(key_file !== undefined && { key: read(key_file) }),
  };
  try {
    createSecureContext(context);
  } catch (error) {
    const files = [ca_file, cert_file, key_file].filter((file) => file !== undefined).join(', ');
    throw unusable(`${files}: ${error instanceof Error ? error.message : 'not usable'}`);
  }
  return context;
}

function read(file: string): string {
  try {
    const { size } = statSync(file);
    if (size > limits.tlsFileBytesMax) throw new Error(`has more than ${limits.tlsFileBytesMax} bytes`);
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw unusable(`${file}: ${error instanceof Error ? error.message : 'cannot be read'}`);
  }
}

function unusable(message: string): SpanwardenError {
  return new SpanwardenError({ code: 'SW_TLS_FILE', message, advice: 'Name PEM files that the collector may read.' });
}

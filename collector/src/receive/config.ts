import { z } from 'zod';
import { limits } from '../model/limits.ts';
import { Secret } from '../model/secret.ts';
import { defaultHttpPaths, type Signal, signals } from './contract.ts';

const tlsConfigSchema = z
  .strictObject({
    cert_file: z
      .string()
      .min(1)
      .describe('PEM file of the certificate, with those between it and the CA behind it. Read again when it changes.'),
    key_file: z
      .string()
      .min(1)
      .describe('PEM file of its private key, without a passphrase. Read again when it changes.'),
    client_ca_file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'PEM file of the CA of senders (mutual TLS): whoever has no certificate of it is not let in, to health and ' +
          'metrics neither. Default none: senders need no certificate.',
      ),
  })
  .describe('TLS for HTTP and gRPC, 1.2 and 1.3. Default none: both are plain.');

const pathsConfigSchema = z
  .strictObject({ traces: pathOf('traces'), metrics: pathOf('metrics'), logs: pathOf('logs') })
  .prefault({})
  .superRefine((paths, context) => {
    for (const [index, signal] of signals.entries()) {
      const path = paths[signal].toLowerCase();
      const isTwice = signals.slice(0, index).some((other) => paths[other].toLowerCase() === path);
      if (!isTwice && !ownPaths.test(path)) continue;
      const message = isTwice ? 'another signal has this path' : 'the collector serves something else at this path';
      context.addIssue({ code: 'custom', path: [signal], message: `${message}: choose one that is free` });
    }
  })
  .describe('Where each signal is sent to, for a proxy that brings requests in as they came to it.');

/** Section `receive:` of the config: where agents and other collectors send their spans. */
export const receiveConfigSchema = z
  .strictObject({
    http: z
      .strictObject({
        listen: z
          .string()
          .regex(
            listenPattern(),
            'must be host:port, for example 127.0.0.1:4318 or [::1]:4318; port 0 takes a free one',
          )
          .default('127.0.0.1:4318')
          .describe(
            'Address of OTLP/HTTP and of /healthz, /readyz and /metrics, as host:port. Default 127.0.0.1:4318. ' +
              'Anything but loopback needs tokens_file, bearer_token or tls.client_ca_file.',
          ),
        paths: pathsConfigSchema,
      })
      .prefault({})
      .describe('OTLP over HTTP: /v1/traces, /v1/metrics and /v1/logs.'),
    grpc: z
      .strictObject({
        listen: z
          .union([
            z.literal('off'),
            z
              .string()
              .regex(
                listenPattern(),
                'must be off or host:port, for example 127.0.0.1:4317 or [::1]:4317; port 0 takes a free one',
              ),
          ])
          .default('127.0.0.1:4317')
          .describe(
            'Address of OTLP/gRPC, as host:port, or off. Default 127.0.0.1:4317. Anything but loopback needs ' +
              'tokens_file, bearer_token or tls.client_ca_file.',
          ),
      })
      .prefault({})
      .describe('OTLP over gRPC: traces, metrics and log records.'),
    bearer_token: z
      .string()
      .min(16)
      .transform((text) => new Secret(text))
      .optional()
      .describe(
        'Token that senders must give as `Authorization: Bearer …`; at least 16 characters. Default none, which is ' +
          'allowed on loopback only. Write it as ${env:NAME} or ${file:path}.',
      ),
    tokens_file: z
      .string()
      .min(1)
      .optional()
      .describe(
        'File of the tokens that `spanwarden token create` makes, read again when it changes. When it is named it must be ' +
          'there at the start. Default tokens.json in data_dir, which need not be there; once it is, nobody sends without ' +
          'a token.',
      ),
    tls: tlsConfigSchema.optional(),
    wait_max_ms: z
      .int()
      .min(10)
      .max(limits.requestWaitMsMax)
      .default(limits.requestWaitMsDefault)
      .describe(
        'How long a request may wait for its turn, in milliseconds. Default 1000. One that would wait longer is answered 503 with ' +
          'Retry-After: before its body is read where half of that is foreseen, else as soon as it has waited so long. Less answers ' +
          'sooner under overload; more takes in more that comes at once.',
      ),
    dangerously_allow_anonymous: z
      .boolean()
      .default(false)
      .describe(
        'Listen beyond loopback without tokens or certificates of clients. Default false. Whoever reaches the port can then write spans.',
      ),
  })
  .prefault({})
  .superRefine((config, context) => {
    if (config.bearer_token !== undefined || config.tokens_file !== undefined) return;
    if (config.tls?.client_ca_file !== undefined || config.dangerously_allow_anonymous) return;
    for (const transport of ['http', 'grpc'] as const) {
      const { listen } = config[transport];
      if (listen === 'off' || isLoopback(parseListen(listen).host)) continue;
      context.addIssue({
        code: 'custom',
        path: [transport, 'listen'],
        message:
          'listens beyond loopback without a token: set receive.tokens_file, receive.bearer_token or ' +
          'receive.tls.client_ca_file, or listen on 127.0.0.1, or set receive.dangerously_allow_anonymous: true',
      });
    }
  })
  .describe('Where spans, metrics and log records come in.');

export type TlsConfig = z.infer<typeof tlsConfigSchema>;

export type ReceiveConfig = z.infer<typeof receiveConfigSchema>;

/** `host:port` or `[v6]:port` taken apart. */
export function parseListen(listen: string): { host: string; port: number } {
  const colon = listen.lastIndexOf(':');
  return { host: listen.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(listen.slice(colon + 1)) };
}

/** Where what listens there is reached from its own machine. */
export function localAddress(listen: string): { host: string; port: number } {
  const { host, port } = parseListen(listen);
  return { host: host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host, port };
}

/** What the collector serves beside OTLP, in lower case as paths are compared. */
const ownPaths = /^\/(?:healthz|readyz|metrics|-(?:\/.*)?)$/;

function pathOf(signal: Signal) {
  return z
    .string()
    .max(256)
    .regex(
      /^(?:\/[A-Za-z0-9._~-]+)+$/,
      'must be a path such as /otel/v1/traces: letters, digits and . _ ~ - between slashes',
    )
    .default(defaultHttpPaths[signal])
    .describe(
      `Path of OTLP/HTTP for ${signal}. Default ${defaultHttpPaths[signal]}. SDKs append the default to their endpoint.`,
    );
}

function listenPattern(): RegExp {
  return /^(?:\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):\d{1,5}$/;
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\./.test(host);
}

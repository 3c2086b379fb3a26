import { spawnSync } from 'node:child_process';
import {
  Agent,
  type ClientRequest,
  request as httpRequest,
  type IncomingMessage,
  type RequestOptions,
} from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { promisify } from 'node:util';
import { gzip, gzipSync } from 'node:zlib';
import { suppressTracing } from '@opentelemetry/core';
import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { activeContext, withContext } from '../ambient.ts';
import type { OtlpConfig } from './otlp-config.ts';
import type { SendOutcome, SpanSender } from './sender.ts';

const responseBytesMax = 64 * 1024;
const gzipAsync = promisify(gzip);
const retryableStatus = new Set([429, 502, 503, 504]);

/**
 * OTLP over HTTP whose sockets never keep the process alive: an agent must be able to end while its collector hangs.
 * Answers are classified as https://opentelemetry.io/docs/specs/otlp/#otlphttp-response says.
 */
export function otlpSender(config: OtlpConfig): SpanSender {
  const serializer = config.format === 'json' ? JsonTraceSerializer : ProtobufTraceSerializer;
  const tls = config.url.protocol === 'https:';
  const agent = tls ? new TlsAgent({ keepAlive: true, maxSockets: 2 }) : new Agent({ keepAlive: true, maxSockets: 2 });
  const headers = {
    ...config.headers,
    'content-type': config.format === 'json' ? 'application/json' : 'application/x-protobuf',
    ...(config.gzip && { 'content-encoding': 'gzip' }),
    'user-agent': 'spanwarden-instrumentation',
  };
  const target = `${config.url.origin}${config.url.pathname}`;

  const encoded = (spans: ReadableSpan[]): Buffer | undefined => {
    const bytes = serializer.serializeRequest(spans);
    return bytes && Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  };

  return {
    target,
    async send(spans) {
      try {
        const plain = encoded(spans);
        if (!plain) return { status: 'permanent', reason: 'the spans could not be encoded' };
        const body = config.gzip ? await gzipAsync(plain) : plain;
        const options: RequestOptions = { method: 'POST', agent, ...config.tls };
        options.headers = { ...headers, 'content-length': body.length };
        return await withContext(suppressTracing(activeContext()), () => post(config, options, body));
      } catch (error) {
        return { status: 'permanent', reason: String(error) };
      }
    },
    sendNow(spans, timeoutMs) {
      try {
        const plain = encoded(spans);
        return plain !== undefined && postFromChild(config, headers, config.gzip ? gzipSync(plain) : plain, timeoutMs);
      } catch {
        return false;
      }
    },
  };
}

function post(config: OtlpConfig, options: RequestOptions, body: Buffer): Promise<SendOutcome> {
  return new Promise((resolve) => {
    const send = config.url.protocol === 'https:' ? httpsRequest : httpRequest;
    const request: ClientRequest = send(config.url, options, (response) => {
      readAnswer(response, (text) => finish(outcomeOf(response, text)));
    });
    const timer = setTimeout(() => {
      finish({ status: 'retryable', reason: `no answer within ${config.timeoutMs} ms` });
      request.destroy();
    }, config.timeoutMs);
    timer.unref();
    function finish(outcome: SendOutcome): void {
      clearTimeout(timer);
      resolve(outcome);
    }
    request.on('socket', (socket) => socket.unref());
    request.on('error', (error: NodeJS.ErrnoException) =>
      finish({ status: 'retryable', reason: error.code ?? error.message }),
    );
    request.end(body);
  });
}

/** Reads at most 64 KiB: the rest of an answer says nothing we use. */
function readAnswer(response: IncomingMessage, done: (body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  let size = 0;
  response.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size <= responseBytesMax) chunks.push(chunk);
  });
  response.on('end', () => done(Buffer.concat(chunks)));
  response.on('error', () => done(Buffer.alloc(0)));
  response.on('aborted', () => done(Buffer.alloc(0)));
}

function outcomeOf(response: IncomingMessage, body: Buffer): SendOutcome {
  const code = response.statusCode ?? 0;
  if (code >= 200 && code < 300) return { status: 'ok', rejected: rejectedSpans(response, body) };
  const reason = `HTTP ${code}`;
  if (!retryableStatus.has(code)) return { status: 'permanent', reason };
  const seconds = Number(response.headers['retry-after']);
  return { status: 'retryable', reason, ...(seconds > 0 && { retryAfterMs: Math.min(seconds, 300) * 1000 }) };
}

/** OTLP's partial success: the spans the receiver refused for good. */
function rejectedSpans(response: IncomingMessage, body: Buffer): number {
  try {
    const json = response.headers['content-type']?.includes('json') ?? false;
    if (body.length === 0) return 0;
    const answer = (json ? JsonTraceSerializer : ProtobufTraceSerializer).deserializeResponse(body);
    return Number(answer.partialSuccess?.rejectedSpans ?? 0) || 0;
  } catch {
    return 0;
  }
}

/** What the child runs: it reads a line with the request's options, then the body, and posts it. */
const childProgram = `
const chunks = [];
process.stdin.on('data', (c) => chunks.push(c)).on('end', () => {
  const all = Buffer.concat(chunks), cut = all.indexOf(10);
  const o = JSON.parse(all.subarray(0, cut).toString());
  for (const k in o.tls) o.tls[k] = Buffer.from(o.tls[k], 'base64');
  const failed = () => { process.exitCode = 1; };
  const r = require(o.url.startsWith('https:') ? 'https' : 'http').request(o.url,
    { method: 'POST', headers: o.headers, timeout: o.timeoutMs, agent: false, ...o.tls },
    (a) => { a.resume(); if (a.statusCode >= 300) failed(); });
  r.on('error', failed).on('timeout', () => r.destroy(new Error('timeout')));
  r.end(all.subarray(cut + 1));
});`;

/**
 * After process.exit only synchronous code runs, and Node has no synchronous HTTP: a short-lived Node child posts the last
 * spans. Options go over its standard input, because headers hold tokens and a command line can be read by others.
 */
function postFromChild(config: OtlpConfig, headers: Record<string, string>, body: Buffer, timeoutMs: number): boolean {
  if (process.versions.bun !== undefined || process.versions.electron !== undefined) return false;
  const tls = Object.fromEntries(Object.entries(config.tls).map(([key, file]) => [key, file.toString('base64')]));
  const head = JSON.stringify({
    url: config.url.href,
    headers: { ...headers, 'content-length': body.length },
    timeoutMs,
    tls,
  });
  // NODE_OPTIONS would load this very instrumentation into the child.
  const { NODE_OPTIONS: _options, ...env } = process.env;
  const child = spawnSync(process.execPath, ['-e', childProgram], {
    input: Buffer.concat([Buffer.from(`${head}\n`), body]),
    stdio: ['pipe', 'ignore', 'ignore'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
    windowsHide: true,
    env,
  });
  return child.status === 0;
}

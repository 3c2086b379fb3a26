import express, { type Request, type Response, type Router } from 'express';
import { limits } from '../model/limits.ts';
import { hopsHeader } from '../model/tee-request.ts';
import { readBody, releaseBody } from './body.ts';
import { codingOf, codings } from './compression.ts';
import {
  defaultHttpPaths,
  type Encoding,
  type Failure,
  type HttpPaths,
  hopsOf,
  type ReceiveOptions,
  type Signal,
  signals,
} from './contract.ts';
import { sendFailure, sendSuccess } from './responses.ts';

/**
 * OTLP/HTTP, https://opentelemetry.io/docs/specs/otlp/#otlphttp : POST to the path of a signal in protobuf or JSON, in the codings of
 * `compression.ts`. Everything that can be refused without the body is refused before it is read; every refusal is a
 * google.rpc.Status in the encoding of the request. No header lets pages of browsers in: there is no CORS.
 */
export function otlpHttpRouter(options: ReceiveOptions): Router {
  const router = express.Router();
  for (const signal of signals) {
    router.all((options.paths ?? defaultHttpPaths)[signal], async (request, response) => {
      const from = performance.now();
      response.once('finish', () => options.answered?.(String(response.statusCode), performance.now() - from));
      await receive(request, response, { ...options, signal });
    });
  }
  return router;
}

/** The media type of a request, without parameters. */
function mediaType(request: Request): string {
  return (request.headers['content-type'] ?? '').split(';')[0]!.trim().toLowerCase();
}

/** What an answer is written in: the request's own encoding, else JSON. */
function encodingOf(request: Request): Encoding {
  return mediaType(request) === 'application/x-protobuf' ? 'protobuf' : 'json';
}

/** The last handler: 404 for every other path, in the words of OTLP. */
export function notFound(paths: HttpPaths = defaultHttpPaths): (request: Request, response: Response) => void {
  const taken = signals.map((signal) => paths[signal]).join(' and ');
  return (request, response) => {
    const message = `nothing is served here for ${request.method}; OTLP goes to ${taken}`;
    sendFailure(response, encodingOf(request), { status: 'refused', code: 'SW_HTTP_NOT_FOUND', message });
  };
}

async function receive(
  request: Request,
  response: Response,
  options: ReceiveOptions & { readonly signal: Signal },
): Promise<void> {
  const encoding = encodingOf(request);
  const refusal = refuse(request, options);
  if (refusal) {
    discard(request);
    sendFailure(response, encoding, refusal, refusal.headers);
    return;
  }
  const coding = codingOf(request.headers['content-encoding'])!;
  const body = await readBody(request, coding, options.admission, options.bodyBytesMax);
  if (body.status === 'aborted') return;
  if (body.status === 'failed') {
    if (body.failure.code === 'SW_SHUTTING_DOWN') drop(request, response);
    else discard(request);
    sendFailure(response, encoding, body.failure);
    return;
  }
  const { bytes, place } = body;
  const hops = hopsOf(request.get(hopsHeader));
  const outcome = await place.work(bytes.length, () => options.consume(encoding, bytes, options.signal, hops));
  place.leave();
  if (outcome.status === 'ok') {
    // After a failure somebody may still be writing it.
    releaseBody(bytes);
    sendSuccess(response, { encoding, ...outcome, signal: options.signal });
  } else sendFailure(response, encoding, outcome);
}

function refuse(
  request: Request,
  { admit }: ReceiveOptions,
): (Failure & { readonly headers?: Readonly<Record<string, string>> }) | undefined {
  if (request.method !== 'POST') {
    const message = `use POST, not ${request.method}`;
    return { status: 'refused', code: 'SW_HTTP_METHOD', message, headers: { allow: 'POST' } };
  }
  const refusal = admit(request.headers.authorization);
  if (refusal)
    return refusal.status === 'refused' ? { ...refusal, headers: { 'www-authenticate': 'Bearer' } } : refusal;
  const type = mediaType(request);
  if (type !== 'application/x-protobuf' && type !== 'application/json') {
    const message = 'Content-Type must be application/x-protobuf or application/json';
    return { status: 'refused', code: 'SW_HTTP_CONTENT_TYPE', message };
  }
  if (codingOf(request.headers['content-encoding']) === undefined) {
    const message = `Content-Encoding must be one of ${codings.join(', ')}`;
    const headers = { 'accept-encoding': codings.slice(1).join(', ') };
    return { status: 'refused', code: 'SW_HTTP_CONTENT_ENCODING', message, headers };
  }
  return undefined;
}

/**
 * A sender loses the answer when its connection closes while it still sends, and comes again with what is refused for good. So the rest
 * of the body is read and thrown away, for a while; then the connection can be used again.
 */
function discard(request: Request): void {
  if (request.complete) return;
  const cut = setTimeout(() => request.destroy(), limits.discardMsMax).unref();
  request.once('close', () => clearTimeout(cut));
  request.resume();
}

/** At a stop there is no time for the rest of a body: the connection closes after the answer. */
function drop(request: Request, response: Response): void {
  if (request.complete) return;
  response.setHeader('connection', 'close');
  response.once('finish', () => request.destroy());
}

import { Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  status as Status,
  type sendUnaryData,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { limits } from '../model/limits.ts';
import { hopsHeader } from '../model/tee-request.ts';
import type { Place } from './admission.ts';
import { type ContentCoding, codingOf, unpack, unpackHereBytesMax } from './compression.ts';
import {
  busy,
  type Failure,
  hopsOf,
  type Patience,
  patience,
  type ReceiveOptions,
  type Signal,
  signals,
} from './contract.ts';
import { onMessageHead, takeCoding } from './grpc-head.ts';
import { encodeStatus, encodeSuccess, failureText, grpcCodeOf } from './status.ts';
import type { TlsFiles } from './tls.ts';

/** An OTLP/gRPC server without a port: connections are given to it. */
export interface GrpcIntake {
  /** Where connections come in; not listening yet. */
  readonly connections: NetServer;
  /** Lets calls under way end, for so long; then cuts them. */
  close(graceMs: number): Promise<void>;
}

const services: Readonly<Record<Signal, string>> = {
  traces: 'opentelemetry.proto.collector.trace.v1.TraceService',
  metrics: 'opentelemetry.proto.collector.metrics.v1.MetricsService',
  logs: 'opentelemetry.proto.collector.logs.v1.LogsService',
};

/**
 * OTLP/gRPC, https://opentelemetry.io/docs/specs/otlp/#otlpgrpc : unary `Export` of each service, plain, gzip or deflate. Messages
 * stay bytes, for our own decoder. Who may not send, and what there is no room for, is refused before the message is read. One
 * over `bodyBytesMax`, as sent or unpacked, is RESOURCE_EXHAUSTED without RetryInfo.
 */
export function grpcIntake(options: ReceiveOptions, waits: Patience = patience): GrpcIntake {
  const server = new Server({
    'grpc.max_receive_message_length': options.bodyBytesMax ?? limits.bodyBytesMax,
    'grpc.max_concurrent_streams': limits.grpcStreamsPerConnectionMax,
    'grpc.max_connection_idle_ms': limits.connectionIdleMsMax,
    'grpc.keepalive_time_ms': limits.connectionIdleMsMax / 5,
    'grpc.keepalive_timeout_ms': limits.headersMsMax,
    'grpc-node.max_session_memory': limits.http2SessionMegabytesMax,
    'grpc.enable_channelz': 0,
    interceptors: [guard(options, waits)],
  });
  for (const signal of signals) server.addService(definition(signal), { Export: exporter(signal, options) });
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const sockets = new Set<Socket>();
  const take = (socket: Socket) => {
    track(socket, sockets);
    cutWhenSilent(socket, waits);
    injector.injectConnection(socket);
  };
  const connections = options.tls ? secured(options.tls, take, waits) : new NetServer(take);
  connections.on('connection', (socket) => track(socket, sockets));
  connections.maxConnections = limits.connectionsMax;
  options.connections?.bound(connections, 'grpc', options.tls !== undefined);
  return { connections, close: (graceMs) => close(server, connections, sockets, graceMs) };
}

/** TLS ends here and not in grpc-js, which cannot exchange a certificate while it serves. */
function secured(tls: TlsFiles, take: (socket: Socket) => void, waits: Patience): NetServer {
  const server = createTlsServer({ ...tls.options, ALPNProtocols: ['h2'], handshakeTimeout: waits.headersMs }, take);
  tls.onChange((options) => server.setSecureContext(options));
  // Unlike node:https, node:tls leaves a connection open whose handshake does not come.
  server.on('tlsClientError', (_error, socket) => socket.destroy());
  return server;
}

function track(socket: Socket, sockets: Set<Socket>): void {
  if (sockets.has(socket)) return;
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
}

type Bytes = Buffer;

function definition(signal: Signal): ServiceDefinition {
  const same = (bytes: Bytes) => bytes;
  return {
    Export: {
      path: `/${services[signal]}/Export`,
      requestStream: false,
      responseStream: false,
      requestSerialize: same,
      requestDeserialize: same,
      responseSerialize: same,
      responseDeserialize: same,
    },
  };
}

/** A message as the guard hands it on: unpacked, with its room. */
interface Arrived {
  readonly bytes: Bytes;
  readonly place: Place;
}

function exporter(signal: Signal, options: ReceiveOptions): UntypedHandleCall {
  return async (call: ServerUnaryCall<Arrived, Bytes>, answer: sendUnaryData<Bytes>) => {
    const { bytes, place } = call.request;
    const hops = hopsOf(call.metadata.get(hopsHeader)[0]?.toString());
    const outcome = await place.work(bytes.length, () => options.consume('protobuf', bytes, signal, hops));
    place.leave();
    if (outcome.status === 'ok') answer(null, encodeSuccess('protobuf', signal, outcome.rejected, outcome.message));
    else answer(statusOf(outcome));
  };
}

/** The failure as gRPC sends it: code and text, and the whole google.rpc.Status beside them for RetryInfo and BadRequest. */
function statusOf(failure: Failure): { code: number; details: string; metadata: Metadata } {
  const metadata = new Metadata();
  metadata.set('grpc-status-details-bin', encodeStatus(failure, 'protobuf'));
  return { code: grpcCodeOf(failure.code), details: failureText(failure), metadata };
}

/**
 * Looks at a call before its message is read: who sends, and, once the head of the message is there, whether there is room for what
 * it announces. Ends a call whose message does not come.
 */
function guard(options: ReceiveOptions, waits: Patience): ServerInterceptor {
  let reading = 0;
  return (_method, call) => {
    const from = performance.now();
    const message = new Incoming(call, options);
    let stopWaiting = () => {};
    const waitForMessage = () => {
      reading++;
      const timer = setTimeout(() => {
        const details = `the message did not arrive within ${waits.requestMs} ms`;
        intercepted.sendStatus({ code: Status.DEADLINE_EXCEEDED, details });
      }, waits.requestMs);
      stopWaiting = () => {
        clearTimeout(timer);
        reading--;
        stopWaiting = () => {};
      };
    };
    const refuse = (failure: Failure) => intercepted.sendStatus(statusOf(failure));
    const intercepted = new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, accept) => {
            const failure =
              options.admit(String(metadata.get('authorization')[0] ?? '')) ??
              (reading >= limits.grpcCallsReadingMax ? busy : undefined);
            if (failure) refuse(failure);
            else {
              waitForMessage();
              message.expect((why) => ('status' in why ? refuse(why) : intercepted.sendStatus(why)));
              accept(metadata);
            }
          },
          onReceiveMessage: (bytes: Bytes, next) => {
            void message.arrived(bytes).then((outcome) => (outcome.status === 'ok' ? next(outcome) : refuse(outcome)));
          },
          onReceiveHalfClose: (next) => {
            stopWaiting();
            next();
          },
          onCancel: () => {
            stopWaiting();
            message.drop();
          },
        }),
      sendStatus: (sent, next) => {
        stopWaiting();
        message.drop();
        options.answered?.(Status[sent.code ?? Status.UNKNOWN] ?? 'UNKNOWN', performance.now() - from);
        next(sent);
      },
    });
    return intercepted;
  };
}

type Refuse = (why: Failure | { readonly code: Status; readonly details: string }) => void;

/** The message of a call: its room from its head on, its bytes unpacked by us, because grpc-js unpacks all of them at once. */
class Incoming {
  readonly #call: ServerInterceptingCallInterface;
  readonly #options: ReceiveOptions;
  readonly #coding: ContentCoding | undefined;
  #isPacked = false;
  #place: Place | undefined;
  #over = () => {};

  constructor(call: ServerInterceptingCallInterface, options: ReceiveOptions) {
    this.#call = call;
    this.#options = options;
    this.#coding = codingOf(takeCoding(call));
  }

  expect(refuse: Refuse): void {
    this.#over = this.#options.admission.whileReading(refuse);
    onMessageHead(this.#call, ({ isPacked, bytes }) => {
      this.#isPacked = isPacked;
      if (isPacked && this.#coding === undefined) {
        refuse({ code: Status.UNIMPLEMENTED, details: 'this grpc-encoding is not understood' });
        return;
      }
      const place = this.#options.admission.enter(bytes, isPacked);
      if ('status' in place) refuse(place);
      else this.#place = place;
    });
  }

  /** The place goes with it. */
  async arrived(sent: Bytes): Promise<({ readonly status: 'ok' } & Arrived) | Failure> {
    this.#over();
    const place = this.#place;
    // A second message, or one that was refused meanwhile.
    if (place === undefined) return busy;
    let bytes = sent;
    if (this.#isPacked) {
      const unpacking = () => unpack(sent, this.#coding!, this.#options.bodyBytesMax);
      const unpacked = await (sent.length <= unpackHereBytesMax ? unpacking() : place.unpack(unpacking));
      if (unpacked.status !== 'ok') return unpacked;
      const failure = place.unpacked(sent.length, unpacked.bytes.length);
      if (failure !== undefined) return failure;
      bytes = unpacked.bytes;
    }
    this.#place = undefined;
    return { status: 'ok', bytes, place };
  }

  /** Gives its room back, unless the message was handed on. */
  drop(): void {
    this.#over();
    this.#place?.leave();
    this.#place = undefined;
  }
}

/** An HTTP/2 connection starts with a preface of 24 bytes; one that does not send even that holds a place for nothing. */
function cutWhenSilent(socket: Socket, waits: Patience): void {
  const timer = setTimeout(() => {
    if (socket.bytesRead < 24) socket.destroy();
  }, waits.headersMs).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.on('error', () => socket.destroy());
}

async function close(server: Server, connections: NetServer, sockets: Set<Socket>, graceMs: number): Promise<void> {
  const closed = new Promise<void>((done) => connections.close(() => done()));
  const drained = new Promise<void>((done) => server.tryShutdown(() => done()));
  const cut = setTimeout(() => {
    server.forceShutdown();
    for (const socket of sockets) socket.destroy();
  }, graceMs);
  // A connection that has not become a session has nobody to tell it.
  for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
  await Promise.all([closed, drained]);
  clearTimeout(cut);
}

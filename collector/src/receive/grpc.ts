import { Server as NetServer, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import {
  Metadata,
  Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptor,
  type ServerUnaryCall,
  type ServiceDefinition,
  status as Status,
  type sendUnaryData,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { limits } from '../model/limits.ts';
import { busy, type Failure, type Patience, patience, type ReceiveOptions, type Signal, signals } from './contract.ts';
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
 * stay bytes, for our own decoder. Who may not send, and what comes when too many calls are under way, is refused before
 * the message is read. One over `limits.bodyBytesMax`, as sent or unpacked, is RESOURCE_EXHAUSTED without RetryInfo; that is
 * grpc-js's own doing.
 */
export function grpcIntake(options: ReceiveOptions, waits: Patience = patience): GrpcIntake {
  const server = new Server({
    'grpc.max_receive_message_length': limits.bodyBytesMax,
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

function exporter(signal: Signal, options: ReceiveOptions): UntypedHandleCall {
  return async (call: ServerUnaryCall<Bytes, Bytes>, answer: sendUnaryData<Bytes>) => {
    const bytes = call.request;
    if (!options.budget.take(bytes.length)) {
      answer(statusOf(busy));
      return;
    }
    const outcome = await options.consume('protobuf', bytes, signal);
    options.budget.giveBack(bytes.length);
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

/** Looks at a call before its message is read: who sends, and whether there is room; and ends one whose message does not come. */
function guard(options: ReceiveOptions, waits: Patience): ServerInterceptor {
  let reading = 0;
  return (_method, call) => {
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
    const intercepted = new ServerInterceptingCall(call, {
      start: (next) =>
        next({
          onReceiveMetadata: (metadata, accept) => {
            const failure =
              options.admit(String(metadata.get('authorization')[0] ?? '')) ??
              (reading >= limits.grpcCallsReadingMax ? busy : undefined);
            if (failure) intercepted.sendStatus(statusOf(failure));
            else {
              waitForMessage();
              accept(metadata);
            }
          },
          onReceiveHalfClose: (next) => {
            stopWaiting();
            next();
          },
          onCancel: () => stopWaiting(),
        }),
      sendStatus: (sent, next) => {
        stopWaiting();
        options.answered?.(Status[sent.code ?? Status.UNKNOWN] ?? 'UNKNOWN');
        next(sent);
      },
    });
    return intercepted;
  };
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

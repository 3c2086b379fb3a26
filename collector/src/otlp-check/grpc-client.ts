import { once } from 'node:events';
import { type ClientHttp2Session, connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { answerBytesMax, answerMsMax, type RpcStatus, readStatus } from './exchange.ts';

/** What a unary call came back with. `code` is -1 when the stream ended without a status. */
export interface GrpcAnswer {
  readonly code: number;
  readonly message: string;
  readonly body: Buffer;
  readonly status: RpcStatus | undefined;
}

/**
 * Unary gRPC calls with the bytes that the caller wants, right or wrong ones:
 * https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
 */
export class GrpcClient {
  readonly #session: ClientHttp2Session;
  readonly #headers: Readonly<Record<string, string>>;

  /** @param url http: or https:; headers go with every call. */
  constructor(url: string, headers: Readonly<Record<string, string>> = {}) {
    this.#headers = headers;
    // Room for the messages that are too large for the other side.
    this.#session = connect(url, { maxSessionMemory: 1024 });
    // What goes wrong with the connection shows in each call.
    this.#session.on('error', () => undefined);
  }

  close(): void {
    this.#session.destroy();
  }

  /** @param compressed says so in the message's flag; `headers` must then name the encoding. */
  async call(path: string, message: Buffer, headers: Record<string, string> = {}, compressed = false) {
    const frame = Buffer.alloc(5 + message.length);
    frame[0] = compressed ? 1 : 0;
    frame.writeUInt32BE(message.length, 1);
    message.copy(frame, 5);
    return this.send(path, frame, headers);
  }

  /** Sends the bytes as they are. */
  async send(path: string, bytes: Buffer, headers: Record<string, string> = {}): Promise<GrpcAnswer> {
    const stream = this.#session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...this.#headers,
      ...headers,
    });
    let head: IncomingHttpHeaders = {};
    let trailers: IncomingHttpHeaders = {};
    const chunks: Buffer[] = [];
    let size = 0;
    let failure = '';
    stream.on('response', (got) => (head = got));
    stream.on('trailers', (got) => (trailers = got));
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= answerBytesMax) chunks.push(chunk);
    });
    stream.on('error', (error: Error) => (failure = error.message));
    stream.setTimeout(answerMsMax, () => stream.close(constants.NGHTTP2_CANCEL));
    stream.end(bytes);
    // A refused call may be answered and closed while its message is still on the way.
    await once(stream, 'close').catch(() => undefined);
    const all = { ...head, ...trailers };
    const details = String(all['grpc-status-details-bin'] ?? '');
    return {
      code: all['grpc-status'] === undefined ? -1 : Number(all['grpc-status']),
      message: all['grpc-status'] === undefined ? failure || 'no grpc-status' : decoded(all['grpc-message']),
      body: Buffer.concat(chunks).subarray(5),
      status: details === '' ? undefined : readStatus(Buffer.from(details, 'base64'), 'protobuf'),
    };
  }
}

function decoded(message: string | string[] | undefined): string {
  try {
    return decodeURIComponent(String(message ?? ''));
  } catch {
    return String(message);
  }
}

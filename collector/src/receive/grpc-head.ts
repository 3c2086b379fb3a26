import { Readable } from 'node:stream';
import type { ServerInterceptingCallInterface } from '@grpc/grpc-js';

/** The five bytes before a message: https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
export interface MessageHead {
  readonly isPacked: boolean;
  readonly bytes: number;
}

/** What grpc-js has and does not tell: it gathers a whole message, and unpacks it, before it asks anybody. */
interface Internals {
  readonly stream: Readable;
  incomingEncoding: string;
}

/** Calls `tell` once, when the head of the call's message is there and before grpc-js looks at it. */
export function onMessageHead(call: ServerInterceptingCallInterface, tell: (head: MessageHead) => void): void {
  const { stream } = internalsOf(call);
  const head = Buffer.alloc(5);
  let have = 0;
  const look = (data: Buffer) => {
    have += data.copy(head, have, 0, Math.min(data.length, head.length - have));
    if (have < head.length) return;
    stream.off('data', look);
    tell({ isPacked: head[0] === 1, bytes: head.readUInt32BE(1) });
  };
  // Unlike `on` it does not make the stream flow.
  stream.prependListener('data', look);
}

/** The coding that the call names; from now on grpc-js gives its message as it was sent. */
export function takeCoding(call: ServerInterceptingCallInterface): string {
  const internals = internalsOf(call);
  const coding = internals.incomingEncoding;
  internals.incomingEncoding = 'identity';
  return coding;
}

/** Without them nothing would bound what messages hold; the version is pinned for that. */
function internalsOf(call: ServerInterceptingCallInterface): Internals {
  const internals = call as unknown as Internals;
  if (!(internals.stream instanceof Readable) || typeof internals.incomingEncoding !== 'string') {
    throw new Error('this version of @grpc/grpc-js hides the stream of a call');
  }
  return internals;
}

import { isIP, type Socket } from 'node:net';
import { limits } from '../../model/limits.ts';
import { deniedLiteral, isPrivateAddress, privateAddress } from '../http/addresses.ts';

/** What answers is no broker, or not one that takes connections like ours. */
export class NoKafka extends Error {
  override readonly name = 'NoKafka';
}

export interface GuardOptions {
  readonly host: string;
  readonly isTls: boolean;
  readonly denyPrivateAddresses: boolean;
  /** What went wrong with the connection, whatever the client makes of it. */
  failed(error: Error): void;
  /** It was ended here, and another one would be as well. */
  refused(error: Error): void;
}

/**
 * Watches over a connection of the client, which trusts brokers: it connects to whatever address they name, keeps answers of any length, and
 * throws out of the event of a socket, which would end the process, when an answer is none. To be called before the socket connects.
 */
export function guard(socket: Socket, { host, isTls, denyPrivateAddresses, ...to }: GuardOptions): void {
  const refuse = (error: Error): void => {
    socket.destroy(error);
    to.failed(error);
    to.refused(error);
  };
  socket.on('error', to.failed);
  if (denyPrivateAddresses) {
    const denied = isIP(host) === 0 ? undefined : deniedLiteral(isIP(host) === 6 ? `[${host}]` : host);
    if (denied) {
      refuse(denied);
      return;
    }
    // Comes between finding an address and connecting to it.
    socket.on('lookup', (_error, address: string) => {
      if (address && isPrivateAddress(address)) refuse(privateAddress(host, address));
    });
  }
  socket.once(isTls ? 'secureConnect' : 'connect', () => {
    const check = lengthCheck();
    // Those of the client, which has just put them there.
    for (const read of socket.listeners('data') as ((chunk: Buffer) => void)[]) {
      socket.off('data', read).on('data', (chunk: Buffer) => {
        if (socket.destroyed) return;
        try {
          check(chunk);
          read(chunk);
        } catch (error) {
          refuse(error instanceof NoKafka ? error : new NoKafka(`no answer of Kafka: ${(error as Error).message}`));
        }
      });
    }
  });
}

/** A record of TLS (an alert) in the place of the first length. */
const tlsAlert = 0x15_03;

/** Reads the length before each answer; throws for one that no answer has. */
function lengthCheck(): (chunk: Buffer) => void {
  const head = Buffer.alloc(4);
  let headBytes = 0;
  let bodyBytes = 0;
  return (chunk) => {
    for (let at = 0; at < chunk.length; ) {
      if (bodyBytes > 0) {
        const bytes = Math.min(bodyBytes, chunk.length - at);
        bodyBytes -= bytes;
        at += bytes;
        continue;
      }
      head[headBytes++] = chunk[at++]!;
      if (headBytes < head.length) continue;
      headBytes = 0;
      bodyBytes = head.readInt32BE();
      // An answer begins with the four bytes that tell which request it is of.
      if (bodyBytes >= 4 && bodyBytes <= limits.exportAnswerBytesMax) continue;
      if (head.readUInt16BE() === tlsAlert) throw new NoKafka('the broker wants TLS: set security: tls');
      throw new NoKafka(`no answer of Kafka: one of ${bodyBytes} bytes`);
    }
  };
}

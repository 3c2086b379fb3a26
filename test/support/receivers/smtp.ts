import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';
import type { Pair } from '../../../collector/src/receive/testing/certificates.ts';

export const smtpUser = { username: 'spanwarden', password: 'correct-horse-battery' };

export interface ReceivedMail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it came, headers and body. */
  readonly raw: string;
  readonly isEncrypted: boolean;
}

/** What the server does next instead of taking a mail: an SMTP answer, to the sender, a recipient or the mail itself. */
export interface SmtpFault {
  readonly at: 'from' | 'to' | 'data';
  readonly code: number;
  readonly text: string;
  /** Only mails that hold this. */
  readonly holding?: string;
}

/** A submission server (RFC 6409) of the package smtp-server: login after STARTTLS, one answer for each command. */
export class SmtpReceiver {
  readonly mails: ReceivedMail[] = [];
  readonly faults: SmtpFault[] = [];
  #server: SMTPServer | undefined;

  async start({ pair, secure = false }: { readonly pair?: Pair; readonly secure?: boolean } = {}): Promise<number> {
    const failure = (at: SmtpFault['at'], text = '') => {
      const fault = this.faults.find((each) => each.at === at && text.includes(each.holding ?? ''));
      return fault && Object.assign(new Error(fault.text), { responseCode: fault.code });
    };
    const server = new SMTPServer({
      ...{ secure, authOptional: pair === undefined, disabledCommands: pair === undefined ? ['STARTTLS', 'AUTH'] : [] },
      ...(pair && { cert: pair.cert, key: pair.key }),
      onAuth: ({ username, password }, _session, done) => {
        const isUser = username === smtpUser.username && password === smtpUser.password;
        if (isUser) done(null, { user: username });
        else done(Object.assign(new Error('authentication failed for this password'), { responseCode: 535 }));
      },
      onMailFrom: (_address, _session, done) => done(failure('from') ?? null),
      onRcptTo: ({ address }, _session, done) => done(failure('to', address) ?? null),
      onData: (stream, session, done) => {
        void stream.toArray().then((chunks) => {
          const raw = Buffer.concat(chunks as Buffer[]).toString();
          const error = failure('data', raw);
          if (error) return done(error);
          const { mailFrom, rcptTo } = session.envelope;
          this.mails.push({
            ...{ from: mailFrom ? mailFrom.address : '', to: rcptTo.map(({ address }) => address), raw },
            isEncrypted: session.secure,
          });
          done(null);
        });
      },
    });
    server.on('error', () => undefined);
    this.#server = server;
    server.listen(0, '127.0.0.1');
    await once(server.server, 'listening');
    return (server.server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const server = this.#server;
    if (server) await new Promise<void>((done) => void server.close(() => done()));
  }
}

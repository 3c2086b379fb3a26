import { connect, isIP, isIPv6, type Socket } from 'node:net';
import { createTransport } from 'nodemailer';
import { z } from 'zod';
import type { ExportEvent } from '../../model/export-event.ts';
import { Secret } from '../../model/secret.ts';
import type { Destination, DestinationContext, DestinationType, EncodedEvent, SendOutcome } from '../contract.ts';
import { deniedLiteral, publicLookup } from '../http/addresses.ts';
import { httpSettings, tlsFiles } from '../http/config.ts';
import { failureOf } from '../http/failures.ts';
import { type Show, shower } from '../http/reason.ts';
import { type Message, messageOf } from './message.ts';

const address = z.email({ error: 'must be an e-mail address, for example soc@example.com' }).max(254);
const ports = { tls: 465, starttls: 587, none: 25 } as const;
const recipientsMax = 50;

const schema = z
  .strictObject({
    type: z.literal('email'),
    host: z.string().min(1).max(253).describe('Name or address of the mail server that takes mail for submission.'),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .optional()
      .describe('Its port. Default 587 for starttls, 465 for tls, 25 for none.'),
    security: z
      .enum(['starttls', 'tls', 'none'])
      .default('starttls')
      .describe(
        'starttls (default) and tls: mail goes encrypted or not at all. none: in the clear, for a server on this machine.',
      ),
    username: z.string().min(1).max(256).optional().describe('Name to log in with. Default none: no login.'),
    password: z
      .string()
      .min(1)
      .max(4096)
      .transform((text) => new Secret(text))
      .optional()
      .describe('Password of username. Write it as ${env:NAME} or ${file:path}.'),
    from: address.describe('Address that mails come from.'),
    to: z.array(address).min(1).max(recipientsMax).describe(`Addresses that they go to, at most ${recipientsMax}.`),
    subject_prefix: z
      .string()
      .max(64)
      .regex(/^[^\p{C}]*$/u, 'takes no control characters')
      .default('[Spanwarden]')
      .describe('How each subject begins. Default [Spanwarden].'),
    timeout_ms: z
      .int()
      .min(100)
      .max(300_000)
      .default(30_000)
      .describe('Milliseconds for connecting and for each answer of the server. Default 30000.'),
    tls: httpSettings.tls,
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    path: ['username'],
    error: 'username and password go together',
  })
  .refine(({ security, username }) => security !== 'none' || username === undefined, {
    path: ['security'],
    error: 'none would send the password in the clear: use starttls or tls',
  });

type EmailConfig = z.infer<typeof schema>;

/** One mail an event; a batch is as many as go over one connection in reasonable time. */
const limits = { eventsMax: 20, bytesMax: 1024 * 1024, overheadBytes: 2048 } as const;
const connectionMailsMax = 100;

/**
 * Mails for people, one an event, over SMTP. The texts of one case are a thread; the same event has the same Message-ID.
 * @see https://www.rfc-editor.org/rfc/rfc6409
 */
export const email: DestinationType<'email', typeof schema> = {
  type: 'email',
  schema,
  eventsDefault: ['case'],
  open: (config, context) => new Mailer(config, context),
};

class Mailer implements Destination {
  readonly limits = limits;
  readonly #config: EmailConfig;
  readonly #context: DestinationContext;
  readonly #show: Show;
  readonly #transport: ReturnType<typeof openTransport>;

  constructor(config: EmailConfig, context: DestinationContext) {
    this.#config = config;
    this.#context = context;
    this.#show = shower(config.password === undefined ? [] : [config.password.reveal()]);
    this.#transport = openTransport(config, context);
  }

  encode(event: ExportEvent): Buffer {
    return Buffer.from(textOf(event, messageOf(event, this.#context)));
  }

  async send(batch: readonly EncodedEvent[], signal: AbortSignal): Promise<SendOutcome> {
    const refused: { index: number; reason: string }[] = [];
    let answer = '';
    for (const [index, each] of batch.entries()) {
      const outcome = signal.aborted ? stopping : await this.#mail(each);
      if (outcome.status === 'delivered') answer = outcome.answer;
      else if (outcome.status === 'refused') refused.push({ index, reason: outcome.reason });
      else if (index === 0) return outcome;
      // What went before is with the server.
      else return { status: 'delivered', answer, refused, again: range(index, batch.length) };
    }
    return { status: 'delivered', answer, ...(refused.length > 0 && { refused }) };
  }

  async close(): Promise<void> {
    this.#transport.close();
  }

  async #mail({ event, body }: EncodedEvent): Promise<SendOutcome> {
    const { from, to, subject_prefix: prefix } = this.#config;
    const { heading, text, subjectId, level } = messageOf(event, this.#context);
    const domain = from.slice(from.lastIndexOf('@') + 1);
    const thread = `<${subjectId}@${domain}>`;
    try {
      const { response, rejected } = await this.#transport.sendMail({
        ...{
          from,
          to,
          subject: `${prefix} ${heading}: ${text}`.trim().slice(0, 200).toWellFormed(),
          text: body.toString(),
        },
        ...{ messageId: `<${event.id}@${domain}>`, inReplyTo: thread, references: [thread] },
        priority: level === 'critical' ? 'high' : 'normal',
        date: new Date(event.takenMs),
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Spanwarden-Event': event.id },
        ...{ disableFileAccess: true, disableUrlAccess: true },
      });
      const left = rejected.length === 0 ? '' : `; refused for ${rejected.length} of ${to.length} recipients`;
      return { status: 'delivered', answer: this.#show(`${response}${left}`) };
    } catch (error) {
      return this.#failure(error as MailError);
    }
  }

  #failure(error: MailError): Exclude<SendOutcome, { status: 'delivered' }> {
    const { code = '', responseCode = 0, message } = error;
    const { host, port, security } = this.#config;
    const reason = this.#show(message);
    // 421 says that the server is closing the connection, and other 4xx that it will take the mail later.
    if (responseCode >= 400 && responseCode < 500) return { status: 'retryable', reason };
    if (code === 'EMESSAGE' && responseCode >= 500) return { status: 'refused', reason };
    // Login, sender and recipients come from the config; no event can mend them.
    if (responseCode >= 500 || ['EAUTH', 'ENOAUTH', 'EENVELOPE', 'ETLS'].includes(code))
      return { status: 'misconfigured', reason };
    // The transport puts a code of its own in the place of OpenSSL's; what is left of that is its sentence.
    if (/certificate|altnames/i.test(message)) {
      return { status: 'misconfigured', reason: this.#show(`${message}: set tls.ca_file to the CA that issued it`) };
    }
    return failureOf(error, `${host}:${port ?? ports[security]}`, this.#show);
  }
}

/** How the transport learns of a connection, or that there is none. */
type SocketGiven = (error: Error | null, socket: { connection: Socket }) => void;

interface MailError extends Error {
  readonly code?: string;
  readonly responseCode?: number;
}

const stopping = { status: 'retryable', reason: 'the collector is stopping' } as const;

function openTransport(config: EmailConfig, { denyPrivateAddresses }: DestinationContext) {
  const { host, security, username, password, timeout_ms: timeout } = config;
  const port = config.port ?? ports[security];
  return createTransport({
    ...{ pool: true, maxConnections: 1, maxMessages: connectionMailsMax, host, port },
    ...{ secure: security === 'tls', requireTLS: security === 'starttls', ignoreTLS: security === 'none' },
    ...{ connectionTimeout: timeout, greetingTimeout: timeout, socketTimeout: timeout, dnsTimeout: timeout },
    ...(username && password && { auth: { user: username, pass: password.reveal() } }),
    tls: { ...tlsFiles(config.tls ?? {}), rejectUnauthorized: true, ...(isIP(host) === 0 && { servername: host }) },
    getSocket: (_options: unknown, done: SocketGiven) => {
      const denied = denyPrivateAddresses ? deniedLiteral(isIPv6(host) ? `[${host}]` : host) : undefined;
      if (denied) return done(denied, null as never);
      const socket = connect({ host, port, ...(denyPrivateAddresses && { lookup: publicLookup() }) });
      socket.setTimeout(timeout, () =>
        socket.destroy(Object.assign(new Error('no connection'), { code: 'ETIMEDOUT' })),
      );
      socket.once('error', (error) => done(error, null as never));
      socket.once('connect', () => {
        socket.removeAllListeners('error').setTimeout(0);
        done(null, { connection: socket });
      });
    },
  });
}

/** What people read: our words on the left, theirs on one line each. */
function textOf(event: ExportEvent, { heading, text, facts, link, subjectId }: Message): string {
  const lines = [heading, '', text, '', ...facts.map(([name, value]) => `${name}: ${value}`)];
  if (link !== '') lines.push('', link);
  lines.push('', `${event.kind} ${subjectId}, event ${event.id}`);
  return lines.join('\n').toWellFormed();
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}

import { isIP, isIPv6 } from 'node:net';
import { z } from 'zod';
import type { ExportEvent } from '../../model/export-event.ts';
import type { BatchLimits, Destination, DestinationContext, DestinationType } from '../contract.ts';
import { formatNames, openFormat } from '../formats/index.ts';
import { deniedLiteral, publicLookup } from '../http/addresses.ts';
import { httpSettings, tlsFiles } from '../http/config.ts';
import { SyslogDatagrams } from '../syslog/datagrams.ts';
import { facilities, framed, type SyslogSender, syslogHeader } from '../syslog/frame.ts';
import { SyslogStream } from '../syslog/stream.ts';
import { eventFacts } from './event-facts.ts';

const transports = ['tls', 'tcp', 'udp'] as const;
const ports = { tls: 6514, tcp: 601, udp: 514 } as const;
/** What receivers take unless they were told to take more: rsyslog's 8 KiB, and what a datagram may be by RFC 5426. */
const messageBytes = { tls: 8192, tcp: 8192, udp: 2048 } as const;

const schema = z
  .strictObject({
    type: z.literal('syslog'),
    host: z.string().min(1).max(253).describe('Name or address of the receiver.'),
    port: z.int().min(1).max(65_535).optional().describe('Its port. Default 6514 for tls, 601 for tcp, 514 for udp.'),
    transport: z
      .enum(transports)
      .default('tls')
      .describe(
        'tls (default, RFC 5425), tcp (RFC 6587) or udp (RFC 5426). Over udp what is lost is lost, and texts are cut earlier.',
      ),
    framing: z
      .enum(['octet-counting', 'newline'])
      .default('octet-counting')
      .describe(
        'How messages are told apart on a stream: octet-counting (default; what RFC 5425 demands) or newline, for receivers that know ' +
          'nothing else.',
      ),
    format: z
      .enum(formatNames)
      .default('json')
      .describe('What stands in each message; see docs/formats.md. Default json.'),
    facility: z
      .enum(Object.keys(facilities) as [keyof typeof facilities, ...(keyof typeof facilities)[]])
      .default('local0')
      .describe('Facility of all messages. Default local0.'),
    app_name: z
      .string()
      .regex(/^[\x21-\x7e]{1,48}$/, 'takes 1 to 48 printable ASCII characters without blanks')
      .default('spanwarden')
      .describe('APP-NAME of all messages. Default spanwarden.'),
    message_bytes_max: z
      .int()
      .min(480)
      .max(1_048_576)
      .optional()
      .describe(
        'Bytes of a message; longer texts in it are cut. Default 8192 over tls and tcp, 2048 over udp. Raise it only as far as the ' +
          'receiver: rsyslog ($MaxMessageSize) takes 8192, syslog-ng (log-msg-size) 65536 unless told otherwise.',
      ),
    confirm_ms: z
      .int()
      .min(0)
      .max(10_000)
      .default(200)
      .describe(
        'Milliseconds that a connection has to stand after a batch before it counts as delivered: syslog receivers confirm nothing. ' +
          'Default 200.',
      ),
    resend_ms: z
      .int()
      .min(0)
      .max(60_000)
      .default(5_000)
      .describe(
        'When a connection breaks, what was handed over in so many milliseconds before is sent again, as it may not have arrived. ' +
          'Default 5000; 0 sends nothing twice and may lose as much.',
      ),
    timeout_ms: z
      .int()
      .min(100)
      .max(300_000)
      .default(30_000)
      .describe('Milliseconds for connecting and handing over one batch. Default 30000.'),
    tls: httpSettings.tls,
  })
  .refine(({ transport, tls }) => transport === 'tls' || tls === undefined, {
    path: ['tls'],
    error: 'has a meaning with transport: tls only',
  })
  .refine(({ transport, framing }) => transport !== 'tls' || framing === 'octet-counting', {
    path: ['framing'],
    error: 'has to be octet-counting over tls (RFC 5425)',
  });

type SyslogConfig = z.infer<typeof schema>;

const batch = { eventsMax: 500, bytesMax: 1024 * 1024 } as const;
/** Handed-over bytes that are kept for sending them again. */
const resendBytesMax = 4 * 1024 * 1024;

/**
 * RFC 5424 messages, each with an event in any of the formats as its text and with its ids as structured data.
 * @see https://www.rfc-editor.org/rfc/rfc5424
 */
export const syslog: DestinationType<'syslog', typeof schema> = {
  type: 'syslog',
  schema,
  eventsDefault: ['finding', 'case'],
  open(config, context) {
    const encode = encoder(config, context);
    return config.transport === 'udp' ? overUdp(config, context, encode) : overStream(config, context, encode);
  },
};

function overUdp(config: SyslogConfig, context: DestinationContext, encode: Destination['encode']): Destination {
  const datagrams = new SyslogDatagrams({ ...addressOf(config, context), confirmMs: config.confirm_ms });
  const limits: BatchLimits = { ...batch, overheadBytes: 0 };
  return {
    limits,
    encode,
    send: (events, signal) => datagrams.send(events, signal),
    close: () => datagrams.close(),
  };
}

function overStream(config: SyslogConfig, context: DestinationContext, encode: Destination['encode']): Destination {
  const { host } = config;
  const servername = isIP(host) === 0 ? { servername: host } : {};
  const stream = new SyslogStream({
    ...addressOf(config, context),
    tls: config.transport === 'tls' ? { ...tlsFiles(config.tls ?? {}), ...servername } : undefined,
    ...{ timeoutMs: config.timeout_ms, confirmMs: config.confirm_ms, resendMs: config.resend_ms },
    ...{ resendBytesMax, now: context.now },
  });
  return {
    limits: { ...batch, overheadBytes: 8 },
    encode,
    send: (events, signal) =>
      stream.send(Buffer.concat(events.map(({ body }) => framed(body, config.framing))), signal),
    close: () => stream.close(),
  };
}

/** The message of an event without its frame. */
function encoder(config: SyslogConfig, context: DestinationContext): Destination['encode'] {
  const bytesMax = config.message_bytes_max ?? messageBytes[config.transport];
  const format = openFormat(config.format);
  const { facility, app_name: appName } = config;
  const sender: SyslogSender = {
    ...{ facility: facilities[facility], hostname: context.host, appName, procId: String(process.pid) },
  };
  return (event: ExportEvent) => {
    const { subjectId, level, timeMs, rules } = eventFacts(event);
    const parameters = {
      ...{ eventId: event.id, kind: event.kind, activity: event.activity, level, id: subjectId },
      caseId: event.kind === 'finding' ? event.caseId : subjectId,
      rule: rules[0]?.id.slice(0, 64) ?? '',
      sample: event.isSample ? 'true' : '',
    };
    const head = syslogHeader(sender, { level, timeMs, msgId: event.kind, parameters });
    const left = Math.max(0, bytesMax - Buffer.byteLength(head));
    return Buffer.from(head + format.encode(event, { ...context, bytesMax: Math.min(context.bytesMax, left) }));
  };
}

/** Where to, and what may not be reached. For an address no name is looked up, so it is judged before. */
function addressOf({ host, port, transport }: SyslogConfig, { denyPrivateAddresses }: DestinationContext) {
  const to = { host, port: port ?? ports[transport] };
  if (!denyPrivateAddresses) return { ...to, lookup: undefined, denied: undefined };
  return { ...to, lookup: publicLookup(), denied: deniedLiteral(isIPv6(host) ? `[${host}]` : host) };
}

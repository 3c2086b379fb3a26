import type { Level } from '../../model/severity.ts';

/** What stands in the header of every message of a sender. */
export interface SyslogSender {
  /** Facility, 0 to 23. */
  readonly facility: number;
  readonly hostname: string;
  readonly appName: string;
  readonly procId: string;
}

/** One message as RFC 5424 has it, but for its text. */
export interface SyslogMessage {
  readonly level: Level;
  /** Milliseconds since the epoch. */
  readonly timeMs: number;
  /** The kind of message: at most 32 printable characters. */
  readonly msgId: string;
  /** Parameters of the one structured element, in order; values are hostile. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** How messages are told apart on a stream: RFC 6587, 3.4.1 and 3.4.2. */
export type Framing = 'octet-counting' | 'newline';

/** Severity of RFC 5424 for each level: critical is 2, informational 6. */
const severities: Readonly<Record<Level, number>> = { informational: 6, low: 5, medium: 4, high: 3, critical: 2 };

/** The private enterprise number kept for examples: Spanwarden has none of its own. */
const sdId = 'spanwarden@32473';

/** Facilities by the names that rsyslog, syslog-ng and RFC 5427 give them. */
export const facilities = {
  ...{ kern: 0, user: 1, mail: 2, daemon: 3, auth: 4, syslog: 5, lpr: 6, news: 7, uucp: 8, cron: 9, authpriv: 10 },
  ...{ ftp: 11, ntp: 12, audit: 13, alert: 14, clock: 15 },
  ...{ local0: 16, local1: 17, local2: 18, local3: 19, local4: 20, local5: 21, local6: 22, local7: 23 },
} as const;

/**
 * Everything before the text of a message, the blank between included. Nothing in it can end the element, the header or the line.
 *
 * https://www.rfc-editor.org/rfc/rfc5424#section-6
 */
export function syslogHeader(
  { facility, hostname, appName, procId }: SyslogSender,
  { level, timeMs, msgId, parameters }: SyslogMessage,
): string {
  const priority = facility * 8 + severities[level];
  const head = [
    `<${priority}>1`,
    timestamp(timeMs),
    printable(hostname, 255),
    printable(appName, 48),
    printable(procId, 128),
    printable(msgId, 32),
  ];
  const members = Object.entries(parameters).filter(([, value]) => value !== '');
  const element = members.map(([name, value]) => ` ${parameterName(name)}="${parameterValue(value)}"`).join('');
  return `${head.join(' ')} [${sdId}${element}] `;
}

/** A message as it goes over a stream. Texts of formats hold no newline; one that did would be told as a blank. */
export function framed(message: Buffer, framing: Framing): Buffer {
  if (framing === 'octet-counting') return Buffer.concat([Buffer.from(`${message.length} `), message]);
  return Buffer.concat([Buffer.from(message.map((byte) => (byte === 10 || byte === 13 ? 32 : byte))), newline]);
}

const newline = Buffer.from('\n');

/** Years beyond four digits are no timestamps; RFC 5424 has `-` for what is not known. */
function timestamp(ms: number): string {
  const date = new Date(ms);
  return ms >= 0 && ms < 253_402_300_800_000 && !Number.isNaN(date.getTime()) ? date.toISOString() : '-';
}

/** PRINTUSASCII; `-` where nothing is left. */
function printable(text: string, max: number): string {
  return (
    text
      .normalize('NFKD')
      .replace(/[^\x21-\x7e]+/g, '_')
      .slice(0, max) || '-'
  );
}

function parameterName(name: string): string {
  return printable(name, 32).replace(/[="\]]/g, '_');
}

/**
 * UTF-8 with `"`, `\` and `]` escaped. RFC 5424 allows control characters in values but warns of them, and newline framing breaks at
 * one: they become their visible code points.
 */
function parameterValue(value: string): string {
  return value
    .toWellFormed()
    .replace(unseen, (character) => `<U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}>`)
    .replace(/["\\\]]/g, '\\$&');
}

const unseen = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

import type { SendOutcome } from '../contract.ts';
import { AddressDenied } from './addresses.ts';
import type { Show } from './reason.ts';

/** Verification of the receiver's certificate failed: names that OpenSSL and node:tls give. */
const certificateCodes =
  /^(ERR_TLS_|CERT_|(DEPTH_ZERO_)?SELF_SIGNED_CERT|UNABLE_TO_(GET|VERIFY|DECODE|DECRYPT)_|HOSTNAME_MISMATCH|INVALID_CA|INVALID_PURPOSE)/;
/** The handshake itself failed: no TLS there, no common version, or the receiver wants (another) certificate of ours. */
const handshakeCodes = /^(ERR_SSL_|EPROTO)/;

/** What a request without an answer means: networks come back by themselves, certificates and denied addresses do not. */
export function failureOf(error: Error, host: string, show: Show): Extract<SendOutcome, { reason: string }> {
  if (error instanceof AddressDenied) return { status: 'misconfigured', reason: show(error.message) };
  const code = codeIn(error);
  if (certificateCodes.test(code)) {
    return {
      status: 'misconfigured',
      reason: show(`the certificate of ${host} is not trusted (${code}): set tls.ca_file to the CA that issued it`),
    };
  }
  if (handshakeCodes.test(code)) {
    return { status: 'misconfigured', reason: show(`no TLS connection with ${host}: ${code || error.message}`) };
  }
  return { status: 'retryable', reason: show(`${host}: ${code || error.message}`) };
}

/** Happy-eyeballs connections fail with an AggregateError whose parts say why. */
function codeIn(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  if (typeof code === 'string') return code;
  const [first] = error instanceof AggregateError ? (error.errors as unknown[]) : [];
  return first instanceof Error ? codeIn(first) : '';
}

import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { type Answer, isPoisoned, json, parsed, type Received, Receiver } from './receiver.ts';

const { privateKey, publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  publicKeyEncoding: { type: 'spki', format: 'pem' },
});
const strange = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });

/** The key file of a service account; another key in place of the one that Google knows. */
export function serviceAccount(origin: string, isKnown = true): string {
  return JSON.stringify({
    type: 'service_account',
    client_email: 'spanwarden@project-1.iam.gserviceaccount.com',
    private_key_id: 'key-1',
    private_key: isKnown ? privateKey : strange,
    token_uri: `${origin}/token`,
  });
}

/**
 * `events:import` and `logs:import` of the Chronicle API and Google's token endpoint.
 * https://docs.cloud.google.com/chronicle/docs/reference/rest/v1beta/projects.locations.instances.logTypes.logs/import
 * https://developers.google.com/identity/protocols/oauth2/service-account#authorizingrequests
 */
export class SecopsReceiver extends Receiver {
  readonly tokens = new Set<string>();
  /** Seconds that Google's clock is ahead. */
  clockAheadSeconds = 0;

  constructor() {
    const words = (code: number) => JSON.stringify({ error: { code, status: 'RESOURCE_EXHAUSTED' } });
    super(
      { bytesMax: 1_000_000, words, spared: ['/token'] },
      (self) => (received) => (self as SecopsReceiver).#take(received),
    );
  }

  #take(received: Received): Answer {
    if (received.path === '/token') return this.#token(received);
    const token = /^Bearer (.+)$/.exec(received.headers.authorization ?? '')?.[1] ?? '';
    if (!this.tokens.has(token)) return problem(401, 'UNAUTHENTICATED', `invalid authentication credentials ${token}`);
    const instance = '/v1beta/projects/project-1/locations/eu/instances/instance-1';
    const { inlineSource } = (parsed(received.body.toString()) ?? {}) as { inlineSource?: Record<string, unknown[]> };
    let texts: (string | undefined)[];
    if (received.path === `${instance}/events:import`) texts = inlineSource?.events?.map(udmOf) ?? [undefined];
    else if (received.path === `${instance}/logTypes/SPANWARDEN/logs:import`) {
      texts = inlineSource?.logs?.map(textOf) ?? [undefined];
    } else return problem(404, 'NOT_FOUND', received.path);
    // One log that is not valid refuses all.
    if (texts.some((text) => text === undefined)) return problem(400, 'INVALID_ARGUMENT', 'a log is not valid');
    for (const text of texts) this.hold(text ?? '');
    return json(200, {});
  }

  #token({ body }: Received): Answer {
    const form = new URLSearchParams(body.toString());
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
      return json(400, { error: 'unsupported_grant_type' });
    }
    const [head = '', claims = '', signature = ''] = form.get('assertion')?.split('.') ?? [];
    const isSigned = verify(
      'RSA-SHA256',
      Buffer.from(`${head}.${claims}`),
      createPublicKey(publicKey),
      Buffer.from(signature, 'base64url'),
    );
    if (!isSigned) return json(400, { error: 'invalid_grant', error_description: 'Invalid JWT Signature.' });
    const { iss, scope, aud, iat, exp } = parsed(Buffer.from(claims, 'base64url').toString()) as Record<
      string,
      unknown
    >;
    const now = Date.now() / 1000 + this.clockAheadSeconds;
    const isTimely = Number(iat) <= now + 300 && Number(exp) > now && Number(exp) - Number(iat) <= 3600;
    if (!isTimely) {
      const error_description =
        'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.';
      return json(400, { error: 'invalid_grant', error_description });
    }
    const isOurs = iss === 'spanwarden@project-1.iam.gserviceaccount.com' && aud === `${this.origin}/token`;
    if (!isOurs || scope !== 'https://www.googleapis.com/auth/cloud-platform')
      return json(400, { error: 'invalid_scope' });
    const token = `ya29.token-${this.tokens.size}-0123456789`;
    this.tokens.add(token);
    return json(200, { access_token: token, expires_in: 3599, token_type: 'Bearer' });
  }
}

/** An event has a time and a type; what alerts has a result. */
function udmOf(event: unknown): string | undefined {
  const { udm } = (event ?? {}) as { udm?: { metadata?: Record<string, unknown>; security_result?: unknown[] } };
  const isTimed = !Number.isNaN(Date.parse(String(udm?.metadata?.event_timestamp)));
  const isValid = isTimed && udm?.metadata?.event_type === 'GENERIC_EVENT' && Array.isArray(udm.security_result);
  const text = JSON.stringify(udm);
  return isValid && !isPoisoned(text) ? text : undefined;
}

/** `data` is base64 of UTF-8, and `collectionTime` is after `logEntryTime`. */
function textOf(log: unknown): string | undefined {
  const { data, logEntryTime, collectionTime } = (log ?? {}) as Record<string, unknown>;
  if (typeof data !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(data)) return undefined;
  if (!(Date.parse(String(collectionTime)) > Date.parse(String(logEntryTime)))) return undefined;
  const text = new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(data, 'base64'));
  return isPoisoned(text) ? undefined : text;
}

function problem(code: number, status: string, message: string): Answer {
  return json(code, { error: { code, status, message } });
}

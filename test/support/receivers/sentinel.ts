import { type Answer, isPoisoned, json, parsed, type Received, Receiver } from './receiver.ts';

export const azure = {
  tenant: '11111111-2222-4333-8444-555555555555',
  client: '66666666-7777-4888-8999-000000000000',
  secret: 'Azure8Q~secret.of_the-app~0123456789',
  rule: `dcr-${'a1b2c3d4'.repeat(4)}`,
} as const;

/**
 * Logs Ingestion API and the token endpoint of Entra.
 * https://learn.microsoft.com/azure/azure-monitor/logs/logs-ingestion-api-overview
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
 */
export class SentinelReceiver extends Receiver {
  /** Tokens that were given and are taken; empty it to end them before their time. */
  readonly tokens = new Set<string>();
  given = 0;
  /** Whether the app may write to the rule. */
  hasRole = true;

  constructor() {
    const words = (code: number) =>
      JSON.stringify({
        error: { code: code === 413 ? 'ContentLengthLimitExceeded' : 'TooManyRequests', message: 'no' },
      });
    super(
      { bytesMax: 1_048_576, words, spared: [`/${azure.tenant}/oauth2/v2.0/token`] },
      (self) => (received) => (self as SentinelReceiver).#take(received),
    );
  }

  #take(received: Received): Answer {
    if (received.path.endsWith('/oauth2/v2.0/token')) return this.#token(received);
    const token = /^Bearer (.+)$/.exec(received.headers.authorization ?? '')?.[1] ?? '';
    if (!this.tokens.has(token)) return problem(401, 'InvalidToken', `Authentication token ${token} is invalid`);
    const place = `/dataCollectionRules/${azure.rule}/streams/Custom-Spanwarden_CL`;
    if (received.path !== place || received.query.get('api-version') !== '2023-01-01') {
      return problem(404, 'NotFound', 'Data collection rule or stream not found');
    }
    if (!this.hasRole)
      return problem(403, 'OperationFailed', 'The authentication token does not have access to ingest data');
    if (received.headers['content-type'] !== 'application/json') return problem(415, 'UnsupportedMediaType', '');
    const rows = parsed(received.body.toString());
    // What is no array is answered 204 and lost: worse than a refusal, so it is one here.
    if (!Array.isArray(rows) || !rows.every(isRow)) return problem(400, 'InvalidPayload', 'not an array of rows');
    for (const row of rows) this.hold(JSON.stringify(row));
    return { code: 204 };
  }

  #token({ headers, body }: Received): Answer {
    const form = new URLSearchParams(body.toString());
    const isForm = headers['content-type'] === 'application/x-www-form-urlencoded';
    if (!isForm || form.get('grant_type') !== 'client_credentials') {
      return json(400, { error: 'unsupported_grant_type', error_description: 'AADSTS70003' });
    }
    if (form.get('client_id') !== azure.client || form.get('client_secret') !== azure.secret) {
      const error_description = `AADSTS7000215: Invalid client secret provided: ${form.get('client_secret')}`;
      return json(401, { error: 'invalid_client', error_description });
    }
    if (form.get('scope') !== 'https://monitor.azure.com/.default') return json(400, { error: 'invalid_scope' });
    this.given += 1;
    const token = `eyJ0eXAi.${this.given}.signature-of-the-token`;
    this.tokens.add(token);
    return json(200, { token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: token });
  }
}

function isRow(row: unknown): boolean {
  const text = JSON.stringify(row);
  const time = (row as { TimeGenerated?: unknown } | null)?.TimeGenerated;
  return typeof time === 'string' && !Number.isNaN(Date.parse(time)) && !isPoisoned(text);
}

function problem(code: number, name: string, message: string): Answer {
  return json(code, { error: { code: name, message } });
}

import type { DestinationType } from '../../../collector/src/export/contract.ts';
import { elasticsearch } from '../../../collector/src/export/destinations/elasticsearch.ts';
import { splunkHec } from '../../../collector/src/export/destinations/splunk-hec.ts';
import { webhook } from '../../../collector/src/export/destinations/webhook.ts';
import { ElasticReceiver, elasticKey } from './elasticsearch.ts';
import type { Receiver } from './receiver.ts';
import { SplunkReceiver, splunkToken } from './splunk-hec.ts';
import { WebhookReceiver, webhookKey, webhookToken } from './webhook.ts';

/** A destination, a receiver for it, and what holds of the two. */
export interface Subject {
  readonly name: string;
  readonly type: DestinationType;
  start(): Promise<Receiver>;
  /** Settings that lead to the receiver, without type. */
  config(receiver: Receiver): object;
  /** Settings in place of those, with credentials that the receiver does not know; secrets begin with `wrong-secret`. */
  readonly wrong: object;
  /** Whether an event that comes twice is held once. */
  readonly tellsRepetitions?: boolean;
  /** Gets cases, as for people. */
  readonly isForPeople?: boolean;
  /** False where nothing in an event can make the receiver refuse it. */
  readonly refuses?: false;
}

function subject<Type extends DestinationType>(type: Type, rest: Omit<Subject, 'type'>): Subject {
  return { type: type as unknown as DestinationType, ...rest };
}

const webhookSubjects = (['array', 'ndjson', 'cloudevents'] as const).map((body) =>
  subject(webhook as never, {
    name: `webhook, ${body}`,
    start: () => new WebhookReceiver().start(),
    config: ({ origin }) => ({
      url: `${origin}/hook/wrong-secret-path-0001`,
      body,
      headers: { authorization: `Bearer ${webhookToken}` },
      signing_secrets: [webhookKey],
      gzip: body === 'ndjson',
    }),
    wrong: { headers: { authorization: 'Bearer wrong-secret-0123456789' } },
  }),
);

export const subjects: readonly Subject[] = [
  ...webhookSubjects,
  ...[false, true].map((acknowledge) =>
    subject(splunkHec as never, {
      name: `splunk_hec${acknowledge ? ', with acknowledgement' : ''}`,
      start: () => new SplunkReceiver().start(),
      config: ({ origin }) => ({ url: origin, token: splunkToken, index: 'agents', acknowledge }),
      wrong: { token: 'wrong-secret-0123456789' },
    }),
  ),
  subject(elasticsearch as never, {
    name: 'elasticsearch',
    start: () => new ElasticReceiver().start(),
    config: ({ origin }) => ({ url: origin, api_key: elasticKey }),
    wrong: { api_key: 'wrong-secret-0123456789' },
    tellsRepetitions: true,
  }),
];

export function subjectNamed(wanted: string): Subject {
  const found = subjects.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no subject ${wanted}`);
  return found;
}

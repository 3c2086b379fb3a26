import type { DestinationType } from '../../../collector/src/export/contract.ts';
import { datadog } from '../../../collector/src/export/destinations/datadog.ts';
import { elasticsearch } from '../../../collector/src/export/destinations/elasticsearch.ts';
import { opsgenie } from '../../../collector/src/export/destinations/opsgenie.ts';
import { otlp } from '../../../collector/src/export/destinations/otlp.ts';
import { pagerduty } from '../../../collector/src/export/destinations/pagerduty.ts';
import { s3 } from '../../../collector/src/export/destinations/s3.ts';
import { secops } from '../../../collector/src/export/destinations/secops.ts';
import { securityLake } from '../../../collector/src/export/destinations/security-lake.ts';
import { sentinel } from '../../../collector/src/export/destinations/sentinel.ts';
import { slack } from '../../../collector/src/export/destinations/slack.ts';
import { splunkHec } from '../../../collector/src/export/destinations/splunk-hec.ts';
import { sumologic } from '../../../collector/src/export/destinations/sumologic.ts';
import { teams } from '../../../collector/src/export/destinations/teams.ts';
import { webhook } from '../../../collector/src/export/destinations/webhook.ts';
import { DatadogReceiver, datadogKey } from './datadog.ts';
import { ElasticReceiver, elasticKey } from './elasticsearch.ts';
import { OpsgenieReceiver, opsgenieKey } from './opsgenie.ts';
import { OtlpReceiver, otlpToken } from './otlp.ts';
import { PagerdutyReceiver, pagerdutyKey } from './pagerduty.ts';
import type { Receiver } from './receiver.ts';
import { aws, S3Receiver } from './s3.ts';
import { SecopsReceiver, serviceAccount } from './secops.ts';
import { azure, SentinelReceiver } from './sentinel.ts';
import { SlackReceiver, slackPath } from './slack.ts';
import { SplunkReceiver, splunkToken } from './splunk-hec.ts';
import { SumoReceiver, sumoPath } from './sumologic.ts';
import { TeamsReceiver, teamsPath } from './teams.ts';
import { WebhookReceiver, webhookKey, webhookToken } from './webhook.ts';

/** A destination, a receiver for it, and what holds of the two. */
export interface Subject {
  readonly name: string;
  readonly type: DestinationType;
  start(): Promise<Receiver>;
  /** Settings that lead to the receiver, without type. */
  config(receiver: Receiver): object;
  /** Settings in place of those, with credentials that the receiver does not know; secrets begin with `wrong-secret`. */
  readonly wrong: object | ((origin: string) => object);
  /** Whether an event that comes twice is held once. */
  readonly tellsRepetitions?: boolean;
  /** Gets cases, as for people. */
  readonly isForPeople?: boolean;
  /** Says how many events of a batch it refused, and not which. */
  readonly refusesQuietly?: boolean;
  /** Takes whatever stands in an event. */
  readonly takesAnything?: boolean;
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

function s3Config({ origin }: Receiver): object {
  return {
    endpoint: origin,
    region: aws.region,
    bucket: aws.bucket,
    access_key_id: aws.accessKeyId,
    secret_access_key: aws.secretAccessKey,
  };
}

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
  ...(['protobuf', 'json'] as const).map((encoding) =>
    subject(otlp as never, {
      name: `otlp, ${encoding}`,
      start: () => new OtlpReceiver().start(),
      config: ({ origin }) => ({
        url: `${origin}/v1/logs`,
        encoding,
        headers: { authorization: `Bearer ${otlpToken}` },
      }),
      wrong: { headers: { authorization: 'Bearer wrong-secret-0123456789' } },
      refusesQuietly: true,
    }),
  ),
  subject(sentinel as never, {
    name: 'sentinel',
    start: () => new SentinelReceiver().start(),
    config: ({ origin }) => ({
      url: origin,
      login_url: origin,
      rule_id: azure.rule,
      tenant_id: azure.tenant,
      client_id: azure.client,
      client_secret: azure.secret,
    }),
    wrong: { client_secret: 'wrong-secret-0123456789' },
  }),
  ...(['udm', 'json'] as const).map((format) =>
    subject(secops as never, {
      name: `secops, ${format}`,
      start: () => new SecopsReceiver().start(),
      config: ({ origin }) => ({
        url: origin,
        location: 'eu',
        project: 'project-1',
        instance: 'instance-1',
        format,
        log_type: 'SPANWARDEN',
        credentials: serviceAccount(origin),
      }),
      wrong: (origin: string) => ({ credentials: serviceAccount(origin, false) }),
    }),
  ),
  subject(datadog as never, {
    name: 'datadog',
    start: () => new DatadogReceiver().start(),
    config: ({ origin }) => ({ url: origin, api_key: datadogKey, tags: { env: 'test' } }),
    wrong: { api_key: 'wrong-secret-0123456789' },
  }),
  subject(sumologic as never, {
    name: 'sumologic',
    start: () => new SumoReceiver().start(),
    config: ({ origin }) => ({ url: `${origin}${sumoPath}`, category: 'security/agents' }),
    wrong: (origin: string) => ({ url: `${origin}/receiver/v1/http/wrong-secret-0123456789` }),
  }),
  ...(['ndjson', 'parquet'] as const).map((encoding) =>
    subject(s3 as never, {
      name: `s3, ${encoding}`,
      start: () => new S3Receiver().start(),
      config: (receiver) => ({ ...s3Config(receiver), encoding, format: encoding === 'parquet' ? 'ocsf' : 'json' }),
      wrong: { secret_access_key: 'wrong-secret-0123456789' },
      tellsRepetitions: true,
      takesAnything: true,
    }),
  ),
  subject(securityLake as never, {
    name: 'security_lake',
    start: () => new S3Receiver().start(),
    config: (receiver) => ({ ...s3Config(receiver), account_id: '123456789012' }),
    wrong: { secret_access_key: 'wrong-secret-0123456789' },
    tellsRepetitions: true,
    takesAnything: true,
  }),
  subject(slack as never, {
    name: 'slack',
    start: () => new SlackReceiver().start(),
    config: ({ origin }) => ({ url: `${origin}${slackPath}` }),
    wrong: (origin: string) => ({ url: `${origin}/services/T0000/B0000/wrong-secret-0123456789` }),
    isForPeople: true,
  }),
  subject(teams as never, {
    name: 'teams',
    start: () => new TeamsReceiver().start(),
    config: ({ origin }) => ({ url: `${origin}${teamsPath}` }),
    wrong: (origin: string) => ({ url: `${origin}/workflows/1?sig=wrong-secret-0123456789` }),
    isForPeople: true,
  }),
  subject(pagerduty as never, {
    name: 'pagerduty',
    start: () => new PagerdutyReceiver().start(),
    config: ({ origin }) => ({ url: origin, routing_key: pagerdutyKey }),
    wrong: { routing_key: 'wrong-secret-0123456789' },
    tellsRepetitions: true,
    isForPeople: true,
  }),
  subject(opsgenie as never, {
    name: 'opsgenie',
    start: () => new OpsgenieReceiver().start(),
    config: ({ origin }) => ({ url: origin, api_key: opsgenieKey }),
    wrong: { api_key: 'wrong-secret-0123456789' },
    tellsRepetitions: true,
    isForPeople: true,
  }),
];

export function subjectNamed(wanted: string): Subject {
  const found = subjects.find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`no subject ${wanted}`);
  return found;
}

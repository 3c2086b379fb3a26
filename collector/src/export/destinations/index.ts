import type { DestinationType } from '../contract.ts';
import { datadog } from './datadog.ts';
import { elasticsearch } from './elasticsearch.ts';
import { email } from './email.ts';
import { fileDestination } from './file.ts';
import { opsgenie } from './opsgenie.ts';
import { otlp } from './otlp.ts';
import { pagerduty } from './pagerduty.ts';
import { secops } from './secops.ts';
import { sentinel } from './sentinel.ts';
import { slack } from './slack.ts';
import { splunkHec } from './splunk-hec.ts';
import { stdoutDestination } from './stdout.ts';
import { sumologic } from './sumologic.ts';
import { syslog } from './syslog.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

/** Every kind of destination that the config knows. A new one is added here, and in docs/destinations.md. */
export const destinationTypes: readonly DestinationType[] = [
  ...[webhook, splunkHec, elasticsearch, otlp, sentinel, secops, datadog, sumologic],
  ...[syslog, fileDestination, stdoutDestination],
  ...[slack, teams, pagerduty, opsgenie, email],
].map(erased);

/** Which settings a type has is only known to itself; the config hands each what its own schema has checked. */
function erased(type: object): DestinationType {
  return type as DestinationType;
}

/** The type with this name. */
export function destinationType(name: string): DestinationType {
  const type = destinationTypes.find((each) => each.type === name);
  if (type === undefined) throw new Error(`no destination has the type ${name}`);
  return type;
}

import { datadog } from './datadog.ts';
import { elasticsearch } from './elasticsearch.ts';
import { email } from './email.ts';
import { fileDestination } from './file.ts';
import { kafka } from './kafka.ts';
import { opsgenie } from './opsgenie.ts';
import { otlp } from './otlp.ts';
import { pagerduty } from './pagerduty.ts';
import { s3 } from './s3.ts';
import { secops } from './secops.ts';
import { securityLake } from './security-lake.ts';
import { sentinel } from './sentinel.ts';
import { slack } from './slack.ts';
import { splunkHec } from './splunk-hec.ts';
import { stdoutDestination } from './stdout.ts';
import { sumologic } from './sumologic.ts';
import { syslog } from './syslog.ts';
import { teams } from './teams.ts';
import { webhook } from './webhook.ts';

/** All kinds of destinations. */
export const destinationTypes = [
  webhook,
  splunkHec,
  elasticsearch,
  otlp,
  sentinel,
  secops,
  datadog,
  sumologic,
  s3,
  securityLake,
  slack,
  teams,
  pagerduty,
  opsgenie,
  syslog,
  kafka,
  email,
  fileDestination,
  stdoutDestination,
] as const;

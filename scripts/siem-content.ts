// What receivers need on their side, collector/siem: made of the tables that the formats write by, so that neither can run ahead of the other.
import { elasticFiles } from './siem-elastic.ts';
import { qradarFiles } from './siem-qradar.ts';
import { securityLakeFiles } from './siem-security-lake.ts';
import { sentinelFiles } from './siem-sentinel.ts';
import { splunkFiles } from './siem-splunk.ts';
import { wazuhFiles } from './siem-wazuh.ts';

/** Every generated file of collector/siem by path. */
export const siemFiles: Readonly<Record<string, () => string>> = {
  ...splunkFiles,
  ...elasticFiles,
  ...sentinelFiles,
  ...wazuhFiles,
  ...qradarFiles,
  ...securityLakeFiles,
};

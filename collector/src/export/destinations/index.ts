import { elasticsearch } from './elasticsearch.ts';
import { splunkHec } from './splunk-hec.ts';
import { webhook } from './webhook.ts';

/** All kinds of destinations over HTTP. */
export const httpDestinationTypes = [webhook, splunkHec, elasticsearch] as const;

import { hostname } from 'node:os';
import type { ExportEvent } from '../model/export-event.ts';
import { limits } from '../model/limits.ts';
import type { RedactionProfile } from '../model/redaction.ts';
import { batchingOf, type DestinationConfig, destinationType, type ExportConfig, eventsOf } from './config.ts';
import type { Destination, DestinationContext } from './contract.ts';
import { compileFields } from './fields.ts';
import { compileFilter } from './filter.ts';

/** What destinations need of the collector around them. */
export interface ExportEnvironment {
  readonly config: ExportConfig;
  readonly version: string;
  /** Takes out of an event what a profile forbids beyond what is stored. */
  redact(event: ExportEvent, profile: RedactionProfile): ExportEvent;
  now(): number;
}

/** A destination that was opened, and what it is to get. */
export interface OpenDestination {
  readonly name: string;
  readonly config: DestinationConfig;
  readonly destination: Destination;
  /** The event as the destination is to get it; undefined when its filter lets it be. */
  prepare(event: ExportEvent): ExportEvent | undefined;
}

/** Opens the destination with this name. Throws a SpanwardenError when the machine does not let it. */
export async function openDestination(name: string, environment: ExportEnvironment): Promise<OpenDestination> {
  const config = environment.config.destinations[name];
  if (config === undefined) throw new Error(`there is no destination ${name}`);
  const type = destinationType(config.type);
  const destination = await type.open(config as never, contextOf(name, config, environment));
  const kinds = eventsOf(config).map((kind) => (kind === 'findings' ? 'finding' : 'case'));
  const wants = compileFilter(kinds, config.filter);
  const { redact } = config;
  return {
    name,
    config,
    destination,
    prepare: (event) => {
      // An example is for seeing whether it arrives, whatever is sent otherwise; there is nothing in it to take out.
      if (event.isSample) return event;
      if (!wants(event)) return undefined;
      return redact === undefined ? event : environment.redact(event, redact);
    },
  };
}

function contextOf(name: string, config: DestinationConfig, environment: ExportEnvironment): DestinationContext {
  const { host = hostname(), grafana_url: grafanaUrl, deny_private_addresses: deny } = environment.config;
  return {
    name,
    product: { vendor: 'Spanwarden', name: 'Spanwarden', version: environment.version },
    host,
    bytesMax: limits.exportEventBytesMax,
    lingerMs: batchingOf(config).lingerMs,
    denyPrivateAddresses: config.deny_private_addresses ?? deny,
    extraFields: compileFields(config.fields ?? {}),
    link: (event) => linkTo(grafanaUrl, event),
    now: environment.now,
  };
}

const dayMs = 86_400_000;

/** The dashboard of cases and findings, at the case and the trace of the event and around its time. */
function linkTo(grafanaUrl: string | undefined, event: ExportEvent): string {
  if (grafanaUrl === undefined) return '';
  const [timeNanos, traceId, caseId] =
    event.kind === 'finding'
      ? [event.finding.timeNanos, event.finding.traceId, event.caseId]
      : [event.case.firstSeenNanos, event.case.traceIds[0] ?? '', event.case.mergedInto || event.case.id];
  const timeMs = Number(timeNanos / 1_000_000n);
  const query = new URLSearchParams({
    from: String(timeMs - dayMs),
    to: String(timeMs + dayMs),
    'var-trace_id': traceId,
    ...(caseId !== '' && { 'var-case_id': caseId }),
  });
  return `${grafanaUrl.replace(/\/+$/, '')}/d/spanwarden-findings?${query}`;
}

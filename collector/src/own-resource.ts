import { spanwardenVersion } from './version.ts';

/** The resource that the collector's own spans and metrics are of, in OpenTelemetry's names. */
export type OwnResource = Readonly<Record<'service.name' | 'service.version' | 'service.instance.id', string>>;

/** @param instance stays the same over restarts, so that series go on: the id of the spool. */
export function ownResource(instance: string): OwnResource {
  return {
    'service.name': 'spanwarden-collector',
    'service.version': spanwardenVersion(),
    'service.instance.id': instance,
  };
}

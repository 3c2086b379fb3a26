import type { FieldTable } from '../../model/fields.ts';
import { Log, type LogBatch } from '../../model/log-batch.ts';
import { Attribute, Resource, Scope } from '../../model/span-batch.ts';
import { isList, type Value, type ValueMap, valueText } from '../../model/value.ts';
import { isAbsent } from '../redaction.ts';

/** A log record as vocabularies read it; texts of its own, so it may outlive the batch. */
export interface LogRecord {
  /** event_name, else the attribute `event.name`, else a body that is a short text. */
  readonly name: string;
  readonly scopeName: string;
  readonly scopeVersion: string;
  readonly body: Value | undefined;
  readonly attributes: ReadonlyMap<string, Value>;
  readonly resource: ReadonlyMap<string, Value>;
  readonly traceId: string;
  readonly spanId: string;
  readonly nanos: bigint;
  /** An attribute; redaction markers and empty values count as absent. */
  said(name: string): Value | undefined;
  /** The same as text. */
  text(name: string): string | undefined;
}

/** Longer names are no names of events. */
const nameCharsMax = 256;

export function readRecord(batch: LogBatch, log: number, fields: FieldTable): LogRecord {
  const { logs } = batch;
  const at = log * Log.stride;
  const attributes = named(batch, fields, logs[at + Log.attributes]!, logs[at + Log.attributeCount]!);
  const resourceAt = logs[at + Log.resource]! * Resource.stride;
  const scopeAt = logs[at + Log.scope]! * Scope.stride;
  const { resources, scopes } = batch;
  const body = logs[at + Log.body]! < 0 ? undefined : batch.attributeValue(logs[at + Log.body]!);
  const time = batch.nanos(logs[at + Log.time]!);
  const said = (name: string): Value | undefined => {
    const value = attributes.get(name);
    return value === undefined || isAbsent(value) ? undefined : value;
  };
  return {
    name: nameOf(batch.text(logs[at + Log.eventName]!, logs[at + Log.eventNameLength]!), attributes, body),
    scopeName: batch.text(scopes[scopeAt + Scope.name]!, scopes[scopeAt + Scope.nameLength]!),
    scopeVersion: batch.text(scopes[scopeAt + Scope.version]!, scopes[scopeAt + Scope.versionLength]!),
    body,
    attributes,
    resource: named(
      batch,
      fields,
      resources[resourceAt + Resource.attributes]!,
      resources[resourceAt + Resource.attributeCount]!,
    ),
    traceId: batch.hex(logs[at + Log.traceId]!, 16),
    spanId: batch.hex(logs[at + Log.spanId]!, 8),
    nanos: time !== 0n ? time : batch.nanos(logs[at + Log.observedTime]!),
    said,
    text: (name) => {
      const value = said(name);
      return value === undefined || value === null ? undefined : valueText(value) || undefined;
    },
  };
}

function nameOf(eventName: string, attributes: ReadonlyMap<string, Value>, body: Value | undefined): string {
  const candidates = [eventName, attributes.get('event.name'), body];
  const found = candidates.find((each) => typeof each === 'string' && each !== '' && each.length <= nameCharsMax);
  return typeof found === 'string' ? found : '';
}

function named(batch: LogBatch, fields: FieldTable, first: number, count: number): ReadonlyMap<string, Value> {
  const found = new Map<string, Value>();
  for (let row = first; row < first + count; row++) {
    found.set(fields.name(batch.attributes[row * Attribute.stride]!), batch.attributeValue(row));
  }
  return found;
}

/** A map value, for bodies with structure. */
export function asMap(value: Value | undefined): ValueMap | undefined {
  return typeof value === 'object' && value !== null && !isList(value) ? value : undefined;
}

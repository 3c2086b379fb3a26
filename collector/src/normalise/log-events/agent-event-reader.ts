import { hash } from 'node:crypto';
import { type AgentEvent, joinKeys, type NamedValue } from '../../model/agent-event.ts';
import type { FieldTable } from '../../model/fields.ts';
import type { LogBatch } from '../../model/log-batch.ts';
import type { AddedAttribute } from '../../model/span-events.ts';
import { type Value, valueJson, valueText } from '../../model/value.ts';
import { claudeCode } from './claude-code.ts';
import { codex } from './codex.ts';
import { geminiCli } from './gemini-cli.ts';
import { genAiEvents } from './gen-ai.ts';
import { type LogRecord, readRecord } from './log-record.ts';
import type { Said, Vocabulary } from './vocabulary.ts';

const vocabularies: readonly Vocabulary[] = [genAiEvents, claudeCode, codex, geminiCli];

export interface ReadEvents {
  readonly events: readonly AgentEvent[];
  /** What is stored with the records they came from, by place in the batch and sorted by name. */
  readonly added: ReadonlyMap<number, readonly AddedAttribute[]>;
}

/** Log batches → the events of agents in them. Other records are nobody's business here. */
export class AgentEventReader {
  /** Records that a vocabulary could not read: faults of ours. */
  faults = 0;
  readonly #fields: FieldTable;

  constructor(fields: FieldTable) {
    this.#fields = fields;
  }

  read(batch: LogBatch): ReadEvents {
    const events: AgentEvent[] = [];
    const added = new Map<number, readonly AddedAttribute[]>();
    for (let log = 0; log < batch.logCount; log++) {
      const record = readRecord(batch, log, this.#fields);
      const said = this.#said(record);
      if (said === undefined) continue;
      const event = eventOf(record, said, log);
      events.push(event);
      added.set(log, addedTo(record, said, event));
    }
    return { events, added };
  }

  #said(record: LogRecord): Said | undefined {
    try {
      for (const vocabulary of vocabularies) {
        const said = vocabulary(record);
        if (said !== undefined) return said;
      }
    } catch {
      this.faults++;
    }
    return undefined;
  }
}

function eventOf(record: LogRecord, said: Said, place: number): AgentEvent {
  const canonical = new Map(said.attributes);
  const conversation = textOf(canonical.get('gen_ai.conversation.id') ?? record.said('gen_ai.conversation.id'));
  const service = textOf(record.resource.get('service.name'));
  const joinKey = keyOf(record, said, service, conversation);
  const isSpan = said.about === 'span';
  const told = [said.event, record.nanos, [...record.attributes], record.body ?? null, record.spanId] as const;
  const identity = joinKey !== '' ? joinKey : valueJson([service, ...told.map((each) => plain(each))]);
  return {
    traceId: record.traceId || idOf('trace', conversation === '' ? identity : `${service}/${conversation}`, 32),
    spanId: isSpan ? record.spanId : idOf('span', identity, 16),
    parentSpanId: isSpan ? '' : record.spanId,
    name: said.event,
    startNanos: record.nanos,
    endNanos: record.nanos,
    failed: said.failed === true,
    resource: [...record.resource],
    scopeName: record.scopeName,
    scopeVersion: record.scopeVersion,
    attributes: [
      ...[...record.attributes].filter(([name]) => !canonical.has(name)),
      ...said.attributes,
      ...(canonical.has('gen_ai.operation.name') ? [] : [['gen_ai.operation.name', 'agent_event'] as const]),
      ['spanwarden.agent_event', said.event],
    ],
    joinKey,
    final: said.final === true,
    place,
  };
}

function keyOf(record: LogRecord, { about }: Said, service: string, conversation: string): string {
  if (about === undefined) return '';
  if (about === 'span') return joinKeys.span(record.traceId, record.spanId);
  if ('response' in about) return joinKeys.response(about.response);
  return joinKeys.call(service, conversation, about.call);
}

/** The ids by which findings name the event, so that it is found again, and what it says in canonical attributes. */
function addedTo(record: LogRecord, said: Said, event: AgentEvent): readonly AddedAttribute[] {
  const added: [string, string][] = [
    ...said.attributes
      .filter(([name]) => !record.attributes.has(name))
      .map(([name, value]): [string, string] => [name, valueText(value)]),
    ['spanwarden.agent_event', said.event],
    ['spanwarden.dialect', said.dialect],
    ['spanwarden.trace_id', event.traceId],
    ['spanwarden.span_id', event.spanId],
  ];
  return added.map(([name, value]) => ({ name, value })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

function idOf(kind: string, text: string, length: number): string {
  return hash('sha256', `spanwarden ${kind} ${text}`).slice(0, length);
}

function textOf(value: Value | undefined): string {
  return value === undefined ? '' : valueText(value);
}

function plain(value: string | bigint | Value | readonly NamedValue[]): Value {
  return value as Value;
}

import { Attribute, Event, Span, type SpanBatch, ValueType } from '../model/span-batch.ts';
import { valueText } from '../model/value.ts';
import { textsIn } from './json-value.ts';

/** All that a span says, for keyword search: its name, what it says of its status, its events, and the values of attributes. */
export function spanTexts(batch: SpanBatch, span: number): readonly string[] {
  const at = span * Span.stride;
  const texts = [
    batch.text(batch.spans[at + Span.name]!, batch.spans[at + Span.nameLength]!),
    batch.text(batch.spans[at + Span.statusMessage]!, batch.spans[at + Span.statusMessageLength]!),
  ];
  addTexts(batch, batch.spans[at + Span.attributes]!, batch.spans[at + Span.attributeCount]!, texts);
  const firstEvent = batch.spans[at + Span.events]!;
  for (let row = firstEvent; row < firstEvent + batch.spans[at + Span.eventCount]!; row++) {
    const event = row * Event.stride;
    texts.push(batch.text(batch.events[event + Event.name]!, batch.events[event + Event.nameLength]!));
    addTexts(batch, batch.events[event + Event.attributes]!, batch.events[event + Event.attributeCount]!, texts);
  }
  return texts;
}

function addTexts(batch: SpanBatch, first: number, count: number, into: string[]): void {
  for (let row = first; row < first + count; row++) {
    const value = batch.attributeValue(row);
    const type = batch.attributes[row * Attribute.stride + Attribute.type];
    if (type === ValueType.array || type === ValueType.map) into.push(...textsIn(value));
    else if (value !== null) into.push(valueText(value));
  }
}

import type { FieldId, FieldTable } from '../../model/fields.ts';
import type { Redactor } from '../../model/redaction.ts';
import { Attribute, Span, type SpanBatch, ValueType } from '../../model/span-batch.ts';
import type { AddedAttribute } from '../../model/span-events.ts';
import { valueText } from '../../model/value.ts';

/** The conversation of a span as its row says it, so that readers of rows find it: its id, else the trace; '' without either. */
export class SpanConversation {
  readonly #conversation: FieldId;
  readonly #redactor: Redactor | undefined;

  /** @param redactor what is applied to the row of the span. */
  constructor(fields: FieldTable, redactor?: Redactor) {
    this.#conversation = fields.intern(field);
    this.#redactor = redactor;
  }

  /** @param added what is stored with the span beside its own attributes */
  of(batch: SpanBatch, span: number, added: readonly AddedAttribute[] = []): string {
    const row = batch.findSpanAttribute(span, this.#conversation);
    const ours = added.find(({ name }) => name === field);
    const conversation = ours === undefined ? (row < 0 ? '' : this.#stored(batch, row)) : this.#text(ours.value);
    return conversation === '' ? batch.hex(batch.spans[span * Span.stride + Span.traceId]!, 16) : conversation;
  }

  #stored(batch: SpanBatch, row: number): string {
    const at = row * Attribute.stride;
    const text = valueText(batch.attributeValue(row));
    if (this.#redactor === undefined) return text;
    if (batch.attributes[at + Attribute.type] !== ValueType.string) return this.#text(text);
    const start = batch.attributes[at + Attribute.value]!;
    return this.#redactor.value(this.#conversation, start, batch.attributes[at + Attribute.length]!) ?? text;
  }

  #text(text: string): string {
    return this.#redactor?.text(text, field) ?? text;
  }
}

const field = 'gen_ai.conversation.id';

import type { FieldTable } from '../model/fields.ts';
import { Attribute, Scope, Span, type SpanBatch, ValueType } from '../model/span-batch.ts';
import { type Value, valueText } from '../model/value.ts';
import { ArgumentSign } from './argument-signs.ts';
import { contentAttributes } from './coverage.ts';
import { elsewhere } from './dialects/dialect.ts';
import { correctedAttributes } from './dialects/registry.ts';
import { member } from './json-value.ts';
import { messageFields } from './message-fields.ts';
import { isRedaction, redactionCharsMax } from './redaction.ts';
import type { SpanFacts } from './span-facts.ts';
import { rememberedByText } from './text-memory.ts';
import { definitionHashes } from './tool-definitions.ts';

/** How a field of the taxonomy is read from a span. */
export type FieldReader = (batch: SpanBatch, span: number, facts: SpanFacts) => Value | undefined;

const resourcePrefix = 'resource.';
const argumentPrefix = 'spanwarden.argument.';

/** The reader of a field, chosen once per field. */
export function fieldReader(name: string, fields: FieldTable): FieldReader {
  const ofMessages = messageFields[name];
  if (ofMessages !== undefined) return (_batch, _span, facts) => list(ofMessages(facts.conversation));
  const known = spanFields[name] ?? factFields[name] ?? joinedFields[name]?.(fields);
  if (known !== undefined) return known;
  if (name === 'service.name') return resourceReader(name, fields);
  if (name.startsWith(resourcePrefix)) return resourceReader(name.slice(resourcePrefix.length), fields);
  if (name.startsWith(argumentPrefix)) {
    const path = name.slice(argumentPrefix.length);
    return (_batch, _span, facts) => descend(facts.arguments, path);
  }
  return attributeReader(name, fields);
}

const spanFields: Readonly<Record<string, FieldReader>> = table({
  'span.name': (batch, span) => text(batch, batch.spans, span * Span.stride + Span.name),
  'span.kind': (batch, span) => kinds[batch.spans[span * Span.stride + Span.kind]!] ?? 'Unspecified',
  'span.status_code': (batch, span) => codes[batch.spans[span * Span.stride + Span.statusCode]!] ?? 'Unset',
  'span.status_message': (batch, span) => text(batch, batch.spans, span * Span.stride + Span.statusMessage),
  'span.start_time': (batch, span) => time(batch, span * Span.stride + Span.start),
  'span.end_time': (batch, span) => time(batch, span * Span.stride + Span.end),
  'span.duration_ms': (batch, span) => durationMs(batch, span),
  'span.scope_name': (batch, span) =>
    text(batch, batch.scopes, batch.spans[span * Span.stride + Span.scope]! * Scope.stride + Scope.name),
  trace_id: (batch, span) => batch.hex(batch.spans[span * Span.stride + Span.traceId]!, 16),
  span_id: (batch, span) => batch.hex(batch.spans[span * Span.stride + Span.spanId]!, 8),
  parent_span_id: (batch, span) => batch.hex(batch.spans[span * Span.stride + Span.parentSpanId]!, 8) || undefined,
});

/** Properties that are read from several attributes, the first that is there. */
const joinedFields: Readonly<Record<string, (fields: FieldTable) => FieldReader>> = Object.assign(Object.create(null), {
  'spanwarden.session': (fields: FieldTable): FieldReader => {
    const conversation = attributeReader('gen_ai.conversation.id', fields);
    return (batch, span, facts) =>
      facts.translated.session()?.id ??
      nonEmpty(conversation(batch, span, facts)) ??
      spanFields.trace_id!(batch, span, facts);
  },
  'spanwarden.session.source': (fields: FieldTable): FieldReader => {
    const conversation = attributeReader('gen_ai.conversation.id', fields);
    return (batch, span, facts) => {
      const session = facts.translated.session();
      if (session !== undefined) return session.source;
      return nonEmpty(conversation(batch, span, facts)) === undefined ? 'trace' : 'conversation';
    };
  },
  'spanwarden.agent': (fields: FieldTable): FieldReader => {
    const names = ['gen_ai.agent.name', 'gen_ai.agent.id'].map((name) => attributeReader(name, fields));
    const version = attributeReader('gen_ai.agent.version', fields);
    names.push(resourceReader('service.name', fields));
    return (batch, span, facts) => {
      const name = names.map((read) => nonEmpty(read(batch, span, facts))).find((each) => each !== undefined);
      const suffix = name === undefined ? undefined : nonEmpty(version(batch, span, facts));
      return suffix === undefined ? name : `${name}@${suffix}`;
    };
  },
  'spanwarden.tool.definition_hashes': (fields: FieldTable): FieldReader => {
    const definitions = attributeReader('gen_ai.tool.definitions', fields);
    const hashesOf = rememberedByText(definitionHashes, definitionBounds);
    return (batch, span, facts) => {
      const value = definitions(batch, span, facts);
      return list(typeof value === 'string' ? hashesOf(value) : definitionHashes(value));
    };
  },
});

/** Every call of an agent offers the same tools, a hundred of them in 100,000 characters. */
const definitionBounds = { textCharsMax: 1_000_000, charsMax: 4_000_000 };

function nonEmpty(value: Value | undefined): string | undefined {
  return value === undefined || value === null || value === '' ? undefined : valueText(value);
}

/** Without which of these signs in the arguments a fact comes from the name of the tool alone. */
const signs = ArgumentSign;
const hostSigns = signs.named | signs.url;
const pathSigns = signs.named | signs.separator;
const moneySigns = signs.named | signs.currency | signs.capitals;
const sqlSigns = signs.named | signs.quote;

const factFields: Readonly<Record<string, FieldReader>> = table({
  'spanwarden.dialect': (_b, _s, facts) => facts.translated.dialect()?.names,
  'spanwarden.coverage.missing': (_b, _s, facts) => list(facts.translated.missing()),
  'spanwarden.dialect_version': (_b, _s, facts) => facts.translated.dialect()?.version || undefined,
  'spanwarden.usage.input_tokens': (_b, _s, facts) => facts.usage?.input,
  'spanwarden.usage.output_tokens': (_b, _s, facts) => facts.usage?.output,
  'spanwarden.usage.cached_tokens': (_b, _s, facts) => facts.usage?.cached,
  'spanwarden.usage.reasoning_tokens': (_b, _s, facts) => facts.usage?.reasoning,
  'spanwarden.usage.cost_usd': (_b, _s, facts) => facts.usage?.costUsd,
  'spanwarden.text.user': (_b, _s, facts) => list(facts.userTexts),
  'spanwarden.text.tool_result': (_b, _s, facts) => list(facts.toolResultTexts),
  'spanwarden.text.system': (_b, _s, facts) => list(facts.systemTexts),
  'spanwarden.text.output': (_b, _s, facts) => list(facts.outputTexts),
  'spanwarden.text.tool_definition': (_b, _s, facts) => list(facts.toolDefinitionTexts),
  'spanwarden.text.retrieved': (_b, _s, facts) => list(facts.retrievedTexts),
  'spanwarden.text.arguments': (_b, _s, facts) => list(facts.argumentTexts),
  'spanwarden.proposed.tool_names': (_b, _s, facts) => list(facts.proposedCalls.map((call) => call.name)),
  'spanwarden.effect.kinds': (_b, _s, facts) => list(facts.effectsBy(signs.named).kinds),
  'spanwarden.effect.urls': (_b, _s, facts) => list(facts.effectsBy(signs.url).urls),
  'spanwarden.effect.hosts': (_b, _s, facts) => list(facts.effectsBy(hostSigns).hosts),
  'spanwarden.effect.domains': (_b, _s, facts) => list(facts.effectsBy(hostSigns).domains),
  'spanwarden.effect.external_domains': (_b, _s, facts) => list(facts.effectsBy(hostSigns).externalDomains),
  'spanwarden.effect.ips': (_b, _s, facts) => list(facts.effectsBy(hostSigns).ips),
  'spanwarden.effect.emails': (_b, _s, facts) => list(facts.effectsBy(signs.at).emails),
  'spanwarden.effect.paths': (_b, _s, facts) => list(facts.effectsBy(pathSigns).paths),
  'spanwarden.effect.commands': (_b, _s, facts) => list(facts.effectsBy(signs.named).commands),
  'spanwarden.effect.http_method': (_b, _s, facts) => facts.effectsBy(signs.named).httpMethod,
  'spanwarden.effect.body_bytes': (_b, _s, facts) => facts.bodyBytes,
  'spanwarden.effect.amounts': (_b, _s, facts) => list(facts.effectsBy(signs.named).amounts),
  'spanwarden.effect.money': (_b, _s, facts) => list(facts.effectsBy(moneySigns).money),
  'spanwarden.effect.accounts': (_b, _s, facts) => list(facts.effectsBy(signs.account).accounts),
  'spanwarden.effect.host_classes': (_b, _s, facts) => list(facts.effectsBy(hostSigns).hostClasses),
  'spanwarden.effect.odd_addresses': (_b, _s, facts) => list(facts.effectsBy(hostSigns).oddAddresses),
  'spanwarden.effect.tunnel_hosts': (_b, _s, facts) => list(facts.effectsBy(hostSigns).tunnelHosts),
  'spanwarden.effect.programs': (_b, _s, facts) => list(facts.effectsBy(signs.named).programs),
  'spanwarden.effect.segments': (_b, _s, facts) => list(facts.effectsBy(signs.named).segments),
  'spanwarden.effect.shell_features': (_b, _s, facts) => list(facts.effectsBy(signs.named).shellFeatures),
  'spanwarden.effect.sql_kinds': (_b, _s, facts) => list(facts.effectsBy(sqlSigns).sql.kinds),
  'spanwarden.effect.sql_tables': (_b, _s, facts) => list(facts.effectsBy(sqlSigns).sql.tables),
  'spanwarden.effect.sql_marks': (_b, _s, facts) => list(facts.effectsBy(sqlSigns).sql.marks),
  'spanwarden.content.secrets': (_b, _s, facts) => list(facts.contentKinds('secrets')),
  'spanwarden.content.pii': (_b, _s, facts) => list(facts.contentKinds('pii')),
  'spanwarden.content.hidden_unicode': (_b, _s, facts) => list(facts.contentKinds('hiddenUnicode')),
  'spanwarden.content.homoglyphs': (_b, _s, facts) => list(facts.contentKinds('homoglyphs')),
  'spanwarden.content.encodings': (_b, _s, facts) => list(facts.encodings),
  'spanwarden.content.places': (_b, _s, facts) => list(facts.contentPlaces),
  'spanwarden.content.encoded_places': (_b, _s, facts) => list(facts.encodedPlaces),
  'spanwarden.outgoing.secrets': (_b, _s, facts) => list(facts.outgoingKinds('secrets')),
  'spanwarden.outgoing.pii': (_b, _s, facts) => list(facts.outgoingKinds('pii')),
  'spanwarden.values.source': (_b, _s, facts) => list(facts.provenance('source', 'value')),
  'spanwarden.values.source_decoded': (_b, _s, facts) => list(facts.provenance('source', 'decoded')),
  'spanwarden.values.source_words': (_b, _s, facts) => list(facts.provenance('source', 'words')),
  'spanwarden.values.source_ids': (_b, _s, facts) => list(facts.provenance('source', 'ids')),
  'spanwarden.values.trusted': (_b, _s, facts) => list(facts.provenance('trusted', 'value')),
  'spanwarden.values.trusted_words': (_b, _s, facts) => list(facts.provenance('trusted', 'words')),
  'spanwarden.values.trusted_ids': (_b, _s, facts) => list(facts.provenance('trusted', 'ids')),
  'spanwarden.values.used': (_b, _s, facts) => list(facts.provenance('used', 'value')),
  'spanwarden.values.used_decoded': (_b, _s, facts) => list(facts.provenance('used', 'decoded')),
  'spanwarden.values.used_words': (_b, _s, facts) => list(facts.provenance('used', 'words')),
  'spanwarden.values.used_ids': (_b, _s, facts) => list(facts.provenance('used', 'ids')),
  'spanwarden.output.urls': (_b, _s, facts) => list(facts.outputUrls),
  'spanwarden.output.domains': (_b, _s, facts) => list(facts.outputDomains),
  'spanwarden.output.image_urls': (_b, _s, facts) => list(facts.outputImageUrls),
  'spanwarden.flow.untrusted_arguments': (_b, _s, facts) => list(facts.flow.arguments),
  'spanwarden.flow.untrusted_destinations': (_b, _s, facts) => list(facts.flow.destinations),
  'spanwarden.flow.sink_kinds': (_b, _s, facts) => list(facts.flow.sinkKinds),
});

/** Names of all facts that have a reader, for the test that holds them equal to the taxonomy. */
export const readableFields: readonly string[] = [
  ...Object.keys(spanFields),
  ...Object.keys(factFields),
  ...Object.keys(messageFields),
  ...Object.keys(joinedFields),
];

/** A flat attribute first, because OTel names have dots; then a member of a map attribute whose name is a prefix. */
function attributeReader(name: string, fields: FieldTable): FieldReader {
  const field = fields.intern(name);
  const prefixes = [...name.matchAll(/\./g)].map((dot) => ({
    field: fields.intern(name.slice(0, dot.index)),
    path: name.slice(dot.index + 1),
  }));
  const content = contentAttributes.has(name);
  const correctable = correctedAttributes.has(name);
  return (batch, span, facts) => {
    const row = batch.findSpanAttribute(span, field);
    if (row >= 0 && !(content && isRedacted(batch, row))) {
      const corrected = correctable ? facts.translated.corrected(name) : undefined;
      if (corrected === undefined) return batch.attributeValue(row);
      if (corrected !== elsewhere) return corrected ?? undefined;
    }
    const translated = facts.translated.value(name);
    if (translated !== undefined) return translated;
    if (!facts.translated.hasMaps()) return undefined;
    for (const prefix of prefixes) {
      const outer = batch.findSpanAttribute(span, prefix.field);
      if (outer < 0 || batch.attributes[outer * Attribute.stride + Attribute.type] !== ValueType.map) continue;
      const inner = descend(batch.attributeValue(outer), prefix.path);
      if (inner !== undefined) return inner;
    }
    return undefined;
  };
}

/** Whether an attribute holds a redaction marker in the place of content. */
export function isRedacted(batch: SpanBatch, row: number): boolean {
  const at = row * Attribute.stride;
  if (batch.attributes[at + Attribute.type] !== ValueType.string) return false;
  if (batch.attributes[at + Attribute.length]! > redactionCharsMax) return false;
  return isRedaction(batch.text(batch.attributes[at + Attribute.value]!, batch.attributes[at + Attribute.length]!));
}

function resourceReader(name: string, fields: FieldTable): FieldReader {
  const field = fields.intern(name);
  return (batch, span) => {
    const row = batch.findResourceAttribute(span, field);
    return row < 0 ? undefined : batch.attributeValue(row);
  };
}

/** A member of nested maps by a dotted path; keys may have dots themselves, so longer keys are tried too. */
function descend(value: Value, path: string): Value | undefined {
  const whole = member(value, path);
  if (whole !== undefined) return whole;
  for (let dot = path.indexOf('.'); dot > 0; dot = path.indexOf('.', dot + 1)) {
    const inner = member(value, path.slice(0, dot));
    const found = inner === undefined ? undefined : descend(inner, path.slice(dot + 1));
    if (found !== undefined) return found;
  }
  return undefined;
}

function durationMs(batch: SpanBatch, span: number): number | undefined {
  const start = batch.spans[span * Span.stride + Span.start]!;
  const end = batch.spans[span * Span.stride + Span.end]!;
  return start < 0 || end < 0 ? undefined : Number(batch.nanos(end) - batch.nanos(start)) / 1e6;
}

/** RFC 3339 in UTC with all nine digits, so that times of one form also compare as text. */
function time(batch: SpanBatch, column: number): string | undefined {
  const offset = batch.spans[column]!;
  if (offset < 0) return undefined;
  const nanos = batch.nanos(offset);
  const seconds = new Date(Number(nanos / 1_000_000_000n) * 1000).toISOString().slice(0, 19);
  return `${seconds}.${String(nanos % 1_000_000_000n).padStart(9, '0')}Z`;
}

function text(batch: SpanBatch, rows: ArrayLike<number>, column: number): string | undefined {
  return rows[column + 1] === 0 ? undefined : batch.text(rows[column]!, rows[column + 1]!);
}

/** An empty list is an absent fact, so that `exists` and absence mean what they say. */
function list(items: readonly string[]): readonly string[] | undefined {
  return items.length === 0 ? undefined : items;
}

function table(readers: Record<string, FieldReader>): Record<string, FieldReader> {
  return Object.assign(Object.create(null), readers);
}

const kinds = ['Unspecified', 'Internal', 'Server', 'Client', 'Producer', 'Consumer'];
const codes = ['Unset', 'Ok', 'Error'];

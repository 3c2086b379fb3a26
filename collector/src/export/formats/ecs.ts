import type { Format } from '../contract.ts';
import { ecsFields } from './ecs-fields.ts';
import { type Facts, factsOf } from './facts.ts';
import { fitted } from './fit.ts';
import { extraPairs } from './pairs.ts';
import { jsonText } from './text.ts';

/**
 * A document in the Elastic Common Schema, https://www.elastic.co/docs/reference/ecs. `event.kind` is `alert`: a rule of something
 * outside Elastic fired. The rule "External Alerts" of Elastic Security makes alerts of such documents in `logs-*`.
 */
export function ecs(): Format {
  return {
    contentType: 'application/json',
    encode: fitted((event, context, isCut) => jsonText(document(factsOf(event, context, isCut)))),
  };
}

/** Dots in names are objects inside objects. Empty texts and lists are left out: an empty keyword is a value to Elasticsearch. */
function document(facts: Facts): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  for (const { path, of } of ecsFields) {
    const value = of(facts);
    if (value === '' || (Array.isArray(value) && value.length === 0)) continue;
    put(root, path.split('.'), value);
  }
  const labels = extraPairs(facts, new Set());
  // ECS wants labels to be flat.
  return labels.length === 0 ? root : { ...root, labels: Object.fromEntries(labels) };
}

function put(into: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (name === undefined) return;
  if (rest.length === 0) {
    into[name] = value;
    return;
  }
  const inner = (into[name] ?? {}) as Record<string, unknown>;
  into[name] = inner;
  put(inner, rest, value);
}

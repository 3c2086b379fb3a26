import { correlationTypes, sigmaTypes } from '../collector/src/detect/correlate/correlation.ts';
import {
  extensionTypes,
  flowExceptions,
  flowWays,
  sinkEffects,
  sourceClasses,
  valueKinds,
} from '../collector/src/detect/correlate/extension.ts';
import { extensionKeys } from '../collector/src/detect/correlate/parse-extension.ts';
import { operators } from '../collector/src/detect/correlate/thresholds.ts';
import { choice, names, type Schema, several, text, timespan } from './schema.ts';

/** The `correlation` part of a rule: Sigma's types and ours, each with the keys it knows. */
export function correlationSchema(): Schema {
  const common: Readonly<Record<string, Schema>> = {
    type: choice(correlationTypes, 'What is counted, compared or followed.'),
    rules: names('Ids or names of rules; for temporal_ordered in the order of the steps.'),
    'group-by': names('Fields whose values must be equal; [] is one group for everything.'),
    aliases: {
      type: 'object',
      description: 'Which field of which rule a name in group-by stands for.',
      additionalProperties: { type: 'object', additionalProperties: { type: 'string' } },
    },
    generate: { type: 'boolean', description: 'The rules referred to give findings of their own, too.' },
  };
  const sigma = { timespan: timespan('How far spans may lie apart.'), condition: correlationCondition() };
  const own = { ...extensionProperties, field: names('The value; of several fields the tuple.') };
  const required: Readonly<Record<string, readonly string[]>> = {
    new_value: ['rules', 'group-by', 'field'],
    rare: ['rules', 'group-by', 'field', 'min'],
    rate_anomaly: ['rules', 'group-by', 'measure'],
    absence: ['rules'],
    flow: ['from', 'to'],
  };
  const branches = extensionTypes.map((type) => ({
    if: { properties: { type: { const: type } }, required: ['type'] },
    // biome-ignore lint/suspicious/noThenProperty: JSON Schema has a keyword of this name.
    then: {
      required: required[type],
      properties: Object.fromEntries(
        [...Object.keys(common), ...Object.keys(extensionKeys[type])].map((key) => [key, true]),
      ),
      additionalProperties: false,
    },
  }));
  return {
    type: 'object',
    description: 'Rules over several spans.',
    required: ['type'],
    properties: { ...common, ...sigma, ...own },
    additionalProperties: false,
    allOf: [
      {
        if: { properties: { type: { enum: sigmaTypes } }, required: ['type'] },
        // biome-ignore lint/suspicious/noThenProperty: JSON Schema has a keyword of this name.
        then: {
          required: ['rules', 'group-by', 'timespan'],
          properties: Object.fromEntries([...Object.keys(common), ...Object.keys(sigma)].map((key) => [key, true])),
          additionalProperties: false,
        },
      },
      ...branches,
    ],
  };
}

function correlationCondition(): Schema {
  return {
    description:
      'What is measured, and what it must be; all bounds must hold. For temporal types also words: a and not b.',
    anyOf: [
      { type: 'string' },
      {
        type: 'object',
        properties: {
          ...Object.fromEntries(operators.map((operator) => [operator, { type: 'number' }])),
          field: names('What value_* measure.'),
          percentile: { type: 'number', exclusiveMinimum: 0, maximum: 100 },
        },
        additionalProperties: false,
      },
    ],
  };
}

/** The keys of our own types, see docs/extension-rules.md. */
const extensionProperties: Readonly<Record<string, Schema>> = {
  learn: timespan('Silent for so long after a group was first seen.'),
  learn_events: { type: 'integer', minimum: 1, description: 'Silent for so many events of a group.' },
  ttl: timespan('A value that was not seen for longer is forgotten.'),
  max_share: { type: ['string', 'number'], description: 'At most this share of the history: 0.1%.' },
  max_count: { type: 'integer', minimum: 0, description: 'At most so many events of the history.' },
  min: { type: 'integer', minimum: 1, description: 'How much history there must be: events, or past buckets.' },
  history: timespan('How far back is looked.'),
  measure: text('count, sum(field) or ratio(rule, rule).', { pattern: '^(?:count|sum\\(.+\\)|ratio\\(.+,.+\\))$' }),
  bucket: timespan('What is counted together.'),
  score: { type: 'number', minimum: 1, description: 'How many deviations from the median are an anomaly. Default 6.' },
  direction: choice(['up', 'down', 'both'], 'Which side of the median. Default up.'),
  at_least: { type: 'number', description: 'A bucket below it is never too high.' },
  within: timespan('How long before the second rule the first may have matched.'),
  scope: choice(['trace', 'session'], 'Where the first rule must have matched.'),
  'match-on': names('Fields that must be equal.'),
  from: several(sourceClasses, 'Where values come from.'),
  to: several(sinkEffects, 'What the call does that uses them.'),
  via: several(flowWays, 'How a value is recognised. Default value and decoded.'),
  unless: several(flowExceptions, 'What clears a value. Default user_supplied.'),
  kinds: several(valueKinds, 'Kinds of values. Default all but id.'),
  idle: timespan('A session that is silent for longer is forgotten. Default 1d.'),
};

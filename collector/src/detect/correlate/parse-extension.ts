import { limits } from '../../model/limits.ts';
import { didYouMean, type Report } from '../report.ts';
import { entryOf, type YamlMap, type YamlNode } from '../yaml.ts';
import type { CorrelationSyntax, Named } from './correlation.ts';
import {
  type AbsenceSyntax,
  type ExtensionType,
  type FlowSyntax,
  flowExceptions,
  flowWays,
  type NewValueSyntax,
  type RareSyntax,
  type RateSyntax,
  sinkEffects,
  sourceClasses,
  valueKinds,
} from './extension.ts';
import { namesOf } from './parse-condition.ts';
import { timespanNanosOf, unitNanos } from './timespan.ts';

/** The keys of each extension type beside type, rules, group-by, aliases and generate, with an example of each. */
export const extensionKeys: Readonly<Record<ExtensionType, Readonly<Record<string, string>>>> = {
  new_value: { field: 'gen_ai.tool.name', learn: '7d', learn_events: '200', ttl: '30d' },
  rare: { field: 'gen_ai.tool.name', max_share: '0.1%', max_count: '2', min: '1000', history: '30d' },
  rate_anomaly: {
    measure: 'count',
    bucket: '5m',
    history: '7d',
    score: '6',
    min: '20',
    direction: 'up',
    at_least: '1000',
  },
  absence: { within: '15m', scope: 'session', 'match-on': '[user.id]' },
  flow: {
    from: '[untrusted]',
    to: '[send, pay]',
    via: '[value, decoded]',
    unless: '[user_supplied]',
    kinds: '[url, email]',
    idle: '1d',
  },
};

type Parsed = Pick<CorrelationSyntax, 'extension' | 'fields' | 'timespan' | 'timespanNanos'> & {
  /** Keys of groups that the type adds to those of `group-by`. */
  readonly keys: readonly Named[];
};

/** Reads what a type of ours says. Undefined after an error went to the report. */
export function parseExtension(
  map: YamlMap,
  type: ExtensionType,
  rules: readonly Named[],
  report: Report,
): Parsed | undefined {
  const before = report.errors.length;
  const reader = createReader(map, type, report);
  const parsed = parsers[type](reader, rules);
  return report.errors.length > before ? undefined : parsed;
}

const parsers: Readonly<Record<ExtensionType, (reader: Reader, rules: readonly Named[]) => Parsed>> = {
  new_value: parseNewValue,
  rare: parseRare,
  rate_anomaly: parseRate,
  absence: parseAbsence,
  flow: parseFlow,
};

function parseNewValue(read: Reader): Parsed {
  const fields = read.fields();
  const learn = read.timespan('learn');
  const learnEvents = read.number('learn_events', { min: 1, whole: true });
  const ttl = read.timespan('ttl', '30d');
  if (!learn.written && learnEvents === undefined) {
    read.missing('learn', 'new_value needs a time to learn', 'Write `learn: 7d` or `learn_events: 200`.');
  }
  if (learn.nanos > ttl.nanos) {
    read.wrong('learn', 'it learns for longer than it remembers', `Make \`ttl\` longer than ${learn.text}.`);
  }
  const events = learnEvents === undefined ? [] : [`${learnEvents} events`];
  const extension: NewValueSyntax = {
    kind: 'new_value',
    learnNanos: learn.nanos,
    learnEvents: learnEvents ?? 0,
    learn: [...(learn.written ? [learn.text] : []), ...events].join(' and '),
    ttlNanos: ttl.nanos,
  };
  return { extension, fields, keys: [], timespan: ttl.text, timespanNanos: ttl.nanos };
}

function parseRare(read: Reader): Parsed {
  const fields = read.fields();
  const history = read.timespan('history', '30d');
  const maxShare = read.share('max_share');
  const maxCount = read.number('max_count', { min: 0, whole: true });
  const min = read.number('min', { min: 1, whole: true });
  if (maxShare === undefined && maxCount === undefined) {
    read.missing('max_share', 'rare needs a bound', 'Write `max_share: 0.1%` or `max_count: 2`.');
  }
  if (min === undefined) {
    read.missing('min', 'rare needs to know how much history is enough', 'Write `min: 1000`, a number of events.');
  } else if (maxShare !== undefined && maxCount === undefined && maxShare * min < 1) {
    const enough = Math.ceil(1 / maxShare);
    read.note('min', `with ${min} events a share below one event means never`, `Write \`min: ${enough}\` or more.`);
  }
  const extension: RareSyntax = { kind: 'rare', maxShare, maxCount, min: min ?? 1, historyNanos: history.nanos };
  return { extension, fields, keys: [], timespan: history.text, timespanNanos: history.nanos };
}

function parseRate(read: Reader, rules: readonly Named[]): Parsed {
  const bucket = read.timespan('bucket', '5m');
  const history = read.timespan('history', '7d');
  const { measure, arguments: args } = readMeasure(read);
  const historyBuckets = Number(history.nanos / bucket.nanos);
  if (historyBuckets > limits.rateBucketsMax) {
    const message = `the history is ${historyBuckets} buckets, more than ${limits.rateBucketsMax}`;
    read.wrong('history', message, 'Make `bucket` longer or `history` shorter.');
  }
  const min = read.number('min', { min: 2, whole: true }) ?? 20;
  if (min > historyBuckets) {
    const message = `the history of ${historyBuckets} buckets never holds the ${min} that \`min\` asks for`;
    read.wrong('min', message, 'Make `history` longer, or `bucket` or `min` smaller.');
  }
  const bits = measure === 'ratio' ? args.map(({ name }) => rules.findIndex((rule) => rule.name === name)) : [];
  if (bits.some((bit) => bit < 0)) {
    const names = rules.map(({ name }) => name).join(', ');
    read.wrong('measure', 'the ratio names a rule that `rules` does not list', `Listed: ${names}.`);
  }
  const extension: RateSyntax = {
    kind: 'rate_anomaly',
    measure,
    over: 1 << Math.max(0, bits[0] ?? 0),
    under: 1 << Math.max(0, bits[1] ?? 0),
    bucketNanos: bucket.nanos,
    historyBuckets,
    score: read.number('score', { min: 1 }) ?? 6,
    min,
    direction: read.choice('direction', ['up', 'down', 'both']) ?? 'up',
    atLeast: read.number('at_least', {}),
  };
  const fields = measure === 'sum' ? args : [];
  return { extension, fields, keys: [], timespan: bucket.text, timespanNanos: bucket.nanos };
}

/** `count`, `sum(field)` or `ratio(rule, rule)`. */
function readMeasure(read: Reader): { readonly measure: RateSyntax['measure']; readonly arguments: readonly Named[] } {
  const advice = 'Write `measure: count`, `sum(gen_ai.usage.output_tokens)` or `ratio(failed, all)`.';
  const node = read.node('measure');
  const text = node?.kind === 'scalar' ? String(node.value) : '';
  const [, name, inner] = /^\s*(count|sum|ratio)\s*(?:\(([^()]*)\))?\s*$/.exec(text) ?? [];
  const args = (inner ?? '')
    .split(',')
    .map((each) => ({ name: each.trim(), at: node?.at ?? read.at }))
    .filter((each) => each.name !== '');
  const wanted = { count: 0, sum: 1, ratio: 2 }[name ?? 'none'];
  if (!node) read.missing('measure', 'rate_anomaly needs a measure', advice);
  else if (name === undefined) read.wrong('measure', `\`${text}\` is no measure`, advice);
  else if (args.length !== wanted) read.wrong('measure', `\`${name}\` takes ${wanted} names in brackets`, advice);
  return { measure: (name ?? 'count') as RateSyntax['measure'], arguments: args };
}

function parseAbsence(read: Reader, rules: readonly Named[]): Parsed {
  if (rules.length !== 2) {
    read.wrong('rules', 'absence takes two rules', 'First the one that must come before, then the one that needs it.');
  }
  const within = read.timespan('within', '1d');
  const scope = read.choice('scope', ['trace', 'session']);
  if (!within.written && scope === undefined) {
    read.missing('within', 'absence needs to know how far to look back', 'Write `within: 15m` or `scope: session`.');
  }
  const extension: AbsenceSyntax = { kind: 'absence', withinNanos: within.nanos, scope };
  const scopeFields = { trace: 'trace_id', session: 'spanwarden.session' };
  const keys = [
    ...(scope === undefined ? [] : [{ name: scopeFields[scope], at: read.node('scope')!.at }]),
    ...read.names('match-on', 'names of fields'),
  ];
  return { extension, fields: [], keys, timespan: within.text, timespanNanos: within.nanos };
}

function parseFlow(read: Reader): Parsed {
  const idle = read.timespan('idle', '1d');
  const from = read.choices('from', sourceClasses);
  const to = read.choices('to', sinkEffects);
  if (from === undefined) {
    read.missing('from', 'flow needs a source', `Write \`from:\` with some of ${sourceClasses.join(', ')}.`);
  }
  if (to === undefined) {
    read.missing('to', 'flow needs a sink', `Write \`to:\` with some of ${sinkEffects.join(', ')}.`);
  }
  const kinds = read.choices('kinds', valueKinds);
  const via = read.choices('via', flowWays) ?? ['value', 'decoded'];
  const extension: FlowSyntax = {
    kind: 'flow',
    from: from ?? [],
    to: to ?? [],
    via,
    unless: read.choices('unless', flowExceptions, true) ?? ['user_supplied'],
    kinds: kinds ?? valueKinds.filter((kind) => kind !== 'id'),
    idleNanos: idle.nanos,
  };
  const names = flowFields(extension);
  const fields = names.map((name) => ({ name, at: read.at }));
  return { extension, fields, keys: [], timespan: idle.text, timespanNanos: idle.nanos };
}

/** The facts that a flow reads: only what it asks for, as each takes time. */
function flowFields({ via, kinds }: FlowSyntax): readonly string[] {
  const names = ['source', 'trusted', 'used'];
  if (via.includes('decoded')) names.push('source_decoded', 'used_decoded');
  if (via.includes('ngram') && kinds.includes('words')) names.push('source_words', 'trusted_words', 'used_words');
  if (kinds.includes('id')) names.push('source_ids', 'trusted_ids', 'used_ids');
  return names.map((name) => `spanwarden.values.${name}`);
}

type Reader = ReturnType<typeof createReader>;

/** Reads the keys of one correlation; what is wrong goes to the report with its place and an example. */
function createReader(map: YamlMap, type: ExtensionType, report: Report) {
  const node = (key: string): YamlNode | undefined => entryOf(map, key)?.value;
  const wrong = (key: string, message: string, advice: string): void =>
    report.error('SW_RULE_VALUE', node(key)?.at ?? map.at, message, advice);
  const example = (key: string): string => `For example: ${key}: ${extensionKeys[type][key]}.`;
  const names = (key: string, what: string): readonly Named[] => {
    const entry = entryOf(map, key);
    return entry ? namesOf(entry, what, report) : [];
  };
  return {
    at: map.at,
    node,
    wrong,
    names,
    missing: (_key: string, message: string, advice: string): void =>
      report.error('SW_RULE_KEY', map.at, message, advice),
    note: (key: string, message: string, advice: string): void =>
      report.warn('SW_RULE_VALUE', node(key)?.at ?? map.at, message, advice),
    fields(): readonly Named[] {
      const fields = names('field', 'the name of a field');
      if (fields.length === 0) report.error('SW_RULE_KEY', map.at, `${type} needs a \`field\``, example('field'));
      if (fields.length > limits.correlationKeysMax) {
        wrong('field', `\`field\` takes at most ${limits.correlationKeysMax} fields`, 'Leave some out.');
      }
      return fields;
    },
    timespan(key: string, fallback = '0s'): { text: string; nanos: bigint; written: boolean } {
      const written = node(key);
      const text = written?.kind === 'scalar' ? String(written.value) : fallback;
      const nanos = timespanNanosOf(text);
      const longest = BigInt(limits.correlationTimespanDaysMax) * unitNanos.d!;
      if (written && nanos === undefined) {
        const shown = written.kind === 'scalar' ? text : `a ${written.kind}`;
        wrong(key, `\`${shown}\` is no timespan`, `Write a number and one of s, m, h, d, w: \`${key}: 10m\`.`);
      } else if (nanos !== undefined && nanos > longest) {
        wrong(key, `\`${key}\` is longer than ${limits.correlationTimespanDaysMax} days`, example(key));
      }
      return {
        text,
        nanos: nanos ?? timespanNanosOf(fallback) ?? 0n,
        written: written !== undefined,
      };
    },
    number(key: string, { min, whole = false }: { min?: number; whole?: boolean }): number | undefined {
      const written = node(key);
      if (!written) return undefined;
      const value = written.kind === 'scalar' ? written.value : undefined;
      const fits = typeof value === 'number' && value >= (min ?? value) && (!whole || Number.isInteger(value));
      const kind = whole ? 'a whole number' : 'a number';
      if (!fits) wrong(key, `\`${key}\` takes ${kind}${min === undefined ? '' : ` from ${min} on`}`, example(key));
      return typeof value === 'number' ? value : undefined;
    },
    share(key: string): number | undefined {
      const written = node(key);
      if (!written) return undefined;
      const text = written.kind === 'scalar' ? String(written.value) : '';
      const [, digits, sign] = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text) ?? [];
      const share = digits === undefined ? Number.NaN : Number(digits) / (sign === '%' ? 100 : 1);
      if (share > 0 && share < 1) return share;
      wrong(key, `\`${key}\` takes a share between 0 and 100 %`, example(key));
      return undefined;
    },
    choice<T extends string>(key: string, known: readonly T[]): T | undefined {
      const written = node(key);
      if (!written) return undefined;
      const value = written.kind === 'scalar' ? known.find((each) => each === written.value) : undefined;
      if (value === undefined) wrong(key, `\`${key}\` takes one of ${known.join(', ')}`, example(key));
      return value;
    },
    choices<T extends string>(key: string, known: readonly T[], empty = false): readonly T[] | undefined {
      const entry = entryOf(map, key);
      if (!entry) return undefined;
      const written = namesOf(entry, `some of ${known.join(', ')}`, report);
      for (const { name, at } of written) {
        if (known.some((each) => each === name)) continue;
        const near = didYouMean(name, known);
        const advice = near ? `Write \`${near}\`.` : `Known: ${known.join(', ')}.`;
        report.error('SW_RULE_VALUE', at, `\`${key}\` does not know \`${name}\``, advice);
      }
      if (entry.value.kind === 'list' && entry.value.items.length === 0 && !empty)
        wrong(key, `\`${key}\` names nothing`, example(key));
      return known.filter((each) => written.some(({ name }) => name === each));
    },
  };
}

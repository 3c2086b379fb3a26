import { Category, type CategoryName } from '../collector/src/model/span-events.ts';
import { categoryDescriptions, type TaxonomyEntry, taxonomy } from '../collector/src/normalise/taxonomy.ts';

/** docs/taxonomy.md out of the taxonomy in the sources. */
export function taxonomyPage(): string {
  const names = Object.keys(Category) as CategoryName[];
  return [
    ...introduction,
    '## Categories',
    '',
    'The `category` of a `logsource`. A span may have several; one without any is no agent’s, and no rule reads it.',
    '',
    '| category | spans |',
    '|---|---|',
    ...names.map((name) => `| \`${name}\` | ${cell(categoryDescriptions[name])} |`),
    '| `any` | every span that has a category |',
    '',
    ...section('Properties of the span', 'span'),
    ...section('Attributes', 'attribute'),
    ...section('Derived facts', 'fact'),
    ...ancestry,
  ].join('\n');
}

const introduction = [
  '# Fields',
  '',
  'Generated from `collector/src/normalise/taxonomy.ts` by `npm run generate`; do not edit it by hand.',
  '',
  'The names that rules, `spanwarden rules lint` and editors know. Any other attribute a sender sets is a field as well, by',
  'its own name; lint warns about unknown names that begin with `gen_ai.` or `mcp.`, and refuses unknown `span.` and',
  '`spanwarden.` names.',
  '',
  '- A field that a span does not have is absent: `exists: false` and `null` match, comparisons do not.',
  '- `text[]` is a list: a rule matches when any member does. An empty list is an absent field.',
  '- `json` is JSON as text, as OTel sends it. The parsed form of what matters in it stands under the derived facts.',
  '- A name that ends in `.<name>` is open: every name may follow.',
  '',
];

const ancestry = [
  '## Fields of other spans',
  '',
  'Every field above may stand behind a reach. See [writing-rules.md](writing-rules.md#the-parent-the-root-any-ancestor).',
  '',
  '| written | reads the field of |',
  '|---|---|',
  '| `parent.&lt;field>` | the parent span |',
  '| `root.&lt;field>` | the topmost span of the trace, the span itself when it has no parent |',
  '| `ancestor.&lt;field>` | any span above, up to and including the root: a list of what all of them have |',
  '',
];

const about: Readonly<Record<TaxonomyEntry['kind'], string>> = {
  span: 'What OTLP says about every span.',
  attribute: 'OTel semantic conventions by their canonical names; other conventions are mapped to them where known.',
  fact: 'Computed by spanwarden from messages, arguments and results, when a rule first asks for it.',
};

function section(title: string, kind: TaxonomyEntry['kind']): string[] {
  const entries = taxonomy.filter((entry) => entry.kind === kind);
  return [`## ${title}`, '', about[kind], '', '| field | type | meaning |', '|---|---|---|', ...entries.map(row), ''];
}

function row({ name, type, description, open }: TaxonomyEntry): string {
  return `| \`${name}${open ? '.<name>' : ''}\` | ${type} | ${cell(description)} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after, before, describe } from 'node:test';
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client';
import type { Dashboard, Panel } from '@grafana/schema';
import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { clickhouseConfigSchema } from '../../collector/src/store/config.ts';
import { openStore, type Store } from '../../collector/src/store/index.ts';
import { repositoryRoot } from '../../scripts/repository.ts';
import { boardValues, loadBoardData } from '../../test/support/grafana-boards-data.ts';
import { hostile, now } from '../../test/support/grafana-data.ts';
import { dashboards } from '../generate.ts';
import { askClickHouse } from './ask.ts';
import { type Field, shown } from './fields.ts';
import type { Answer } from './frames.ts';
import { html } from './html.ts';
import { type Ask, type Page, renderPage } from './page.ts';
import { formatNumber } from './units.ts';

/** Everything a page may consist of; none of it runs or loads anything. */
const elements =
  'html head meta title style body div h1 h2 p b i a ul li section small details summary pre span table colgroup col ' +
  'thead tbody tr th td svg g line rect path circle polyline text';

const fixtures = join(repositoryRoot, 'test/fixtures/grafana-plugin');
const { cases: typeCases }: { cases: { type: string; answer: { error?: string } }[] } = JSON.parse(
  readFileSync(join(fixtures, 'types.json'), 'utf8'),
);
const fromMs = now - 3_600_000;
const boards = Object.values(dashboards).map((make) => make());
const uids = new Set(boards.map(({ uid }) => uid ?? ''));

describe('every dashboard, drawn from data with hostile texts', () => {
  let dataDir: string;
  let store: Store;
  let client: ClickHouseClient;

  before(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'spanwarden-mocks-'));
    store = await openStore(clickhouseConfigSchema.parse({}), { dataDir });
    await store.migrated();
    await loadBoardData(store);
    const { url, database, embedded } = store.endpoints;
    client = createClient({ url, database, ...embedded!.grafana, log: { level: ClickHouseLogLevel.OFF } });
  });
  after(async () => {
    await client?.close();
    await store?.close();
    await rm(dataDir, { recursive: true, force: true });
  });

  for (const board of boards) {
    test(`${board.title} has only columns that the data source's backend can make fields of`, async () => {
      const unknown: string[] = [];
      const ask: Ask = async (...asked) => {
        const answered = await askClickHouse(client, fromMs, now + 60_000)(...asked);
        unknown.push(
          ...answered.meta.filter(({ type }) => !isKnownType(type)).map(({ name, type }) => `${name} ${type}`),
        );
        return answered;
      };
      await renderPage(board, { ask, nowMs: now + 60_000, fromMs, uids, chosen: boardValues(board.uid) });
      assert.deepEqual(unknown, []);
    });
    test(`${board.title} has every panel, no markup out of data, and nothing in it contradicts its results`, async () => {
      const ask = askClickHouse(client, fromMs, now + 60_000);
      const page = await renderPage(board, { ask, nowMs: now + 60_000, fromMs, uids, chosen: boardValues(board.uid) });
      assert.deepEqual(page.problems, []);
      const { panels } = readPage(page);
      assert.deepEqual(panels.sort(), panelsOf(board).map(String).sort());
    });
    test(`${board.title} says why panels may be empty in panels that are, and nowhere else`, async () => {
      const ask = askClickHouse(client, fromMs, now + 60_000);
      const page = await renderPage(board, { ask, nowMs: now + 60_000, fromMs, uids, chosen: boardValues(board.uid) });
      const filled = page.html.replaceAll(/<p class="empty">[^<]*<\/p>|<details class="about">.*?<\/details>/gs, '');
      const texts = (board.panels ?? []).flatMap((each) =>
        'targets' in each ? [each.fieldConfig?.defaults.noValue] : [],
      );
      for (const text of texts.filter((each = '') => each.length > 40)) {
        assert.ok(!filled.includes(html`${text}`.markup), text);
      }
    });
  }
});

describe('every kind of panel', () => {
  const text = hostile.tool;
  const time = new Date(now - 1_800_000).toISOString().slice(0, 19).replace('T', ' ');
  const answers: Readonly<Record<string, Answer>> = {
    table: answer({ Name: 'String', Count: 'UInt64', Seen: 'DateTime' }, [text, '3', time]),
    series: answer({ time: 'DateTime', level: 'String', count: 'UInt64' }, [time, text, '3'], [time, 'low', '4']),
    states: answer({ time: 'DateTime', state: 'LowCardinality(String)' }, [time, text]),
    logs: answer({ Timestamp: 'DateTime64(9)', Body: 'String', Level: 'String' }, [`${time}.123456789`, text, text]),
    nodes: answer({ id: 'String', title: 'String', mainstat: 'String' }, [text, text, text]),
    edges: answer({ id: 'String', source: 'String', target: 'String' }, [text, text, text]),
    trace: answer(
      {
        traceID: 'String',
        spanID: 'String',
        parentSpanID: 'String',
        serviceName: 'String',
        operationName: 'String',
        startTime: 'Float64',
        duration: 'Float64',
        tags: 'Array(Map(String, String))',
        serviceTags: 'Array(Map(String, String))',
        statusCode: 'UInt8',
      },
      [text, text, text, text, text, now, 5, [{ key: text, value: text, markup: text }], [], 2],
    ),
    none: answer({ Name: 'String', Count: 'UInt64' }),
  };
  const kinds: readonly (readonly [type: string, ...answers: string[]])[] = [
    ['stat', 'table'],
    ['table', 'table'],
    ['bargauge', 'table'],
    ['gauge', 'table'],
    ['piechart', 'table'],
    ['barchart', 'table'],
    ['timeseries', 'series'],
    ['state-timeline', 'states'],
    ['status-history', 'states'],
    ['logs', 'logs'],
    ['nodeGraph', 'nodes', 'edges'],
    ['traces', 'trace'],
  ];

  for (const [type, ...names] of kinds) {
    test(`${type} draws hostile texts as texts`, async () => {
      const page = await draw({ ...panel(type, names), options: { reduceOptions: { values: true, fields: '/.*/' } } });
      assert.deepEqual(page.problems, []);
      readPage(page);
      assert.match(page.html, /&lt;img src=x onerror=alert\(1\)&gt;/);
    });
    test(`${type} says why it is empty`, async () => {
      const page = await draw(panel(type, ['none']));
      assert.match(page.html, /<p class="empty">nothing &lt;yet&gt;<\/p>/);
    });
  }

  test('a text panel and titles show variables as texts', async () => {
    const page = await draw({ ...panel('text', []), title: 'About ${who}', options: { content: '<b>${who}</b>' } });
    readPage(page);
    assert.match(page.html, /About &lt;img/);
    assert.match(page.html, /&lt;b&gt;&lt;img/);
  });

  test('values have the unit, the mapping, the colour and the link that overrides give them', async () => {
    const overrides = [
      override('Count', { unit: 'bytes', displayName: 'Size' }),
      override('Name', {
        mappings: [{ type: 'regex', options: { pattern: 'img', result: { text: 'picture', color: 'red' } } }],
        'custom.cellOptions': { type: 'color-text' },
        links: [
          { title: 'Open', url: '/d/spanwarden-findings?x=${__data.fields["Name"]:percentencode}&${who:queryparam}' },
        ],
      }),
      override('Seen', { 'custom.hidden': true }),
    ];
    const page = await draw({ ...panel('table', ['table']), fieldConfig: { defaults: {}, overrides } });
    assert.deepEqual(page.problems, []);
    assert.match(page.html, />3 B</);
    assert.match(page.html, /<th class="number">Size</);
    assert.doesNotMatch(page.html, /Seen/);
    assert.match(
      page.html,
      /style="color:#f2495c"><div><a href="spanwarden-findings.html" title="Open: \/d\/spanwarden-findings\?x=%3Cimg[^"]*&amp;var-who=%3Cimg[^"]*">picture</,
    );
  });

  test('what contradicts the result is told', async () => {
    const wrong: readonly (readonly [Partial<Panel>, RegExp])[] = [
      [{ fieldConfig: { defaults: {}, overrides: [override('Gone', { unit: 's' })] } }, /for the column Gone/],
      [{ fieldConfig: { defaults: {}, overrides: [link('${__data.fields["Gone"]}')] } }, /reads the field Gone/],
      [{ type: 'heatmap' }, /does not draw panels of type heatmap/],
      [{ type: 'stat', options: { reduceOptions: { fields: 'Gone' } } }, /no column is chosen by fields: Gone/],
      [{ type: 'traces' }, /a trace has no column traceID/],
      [{ type: 'timeseries', targets: [{ rawSql: 'none' }] }, /no column of a time/],
      [{ options: { sortBy: [{ displayName: 'Gone' }] } }, /sorted by Gone/],
      [{ transformations: [{ id: 'reduce', options: {} }] }, /transformation reduce/],
      [{ targets: [{ rawSql: 'SELEKT' }] }, /the query failed: no answer/],
    ];
    for (const [change, problem] of wrong) {
      const page = await draw({ ...panel('table', ['table']), ...change });
      assert.match(page.problems.join('\n'), problem);
    }
  });

  async function draw(one: Panel): Promise<Page> {
    const who = { type: 'textbox', name: 'who', label: text, current: { text, value: text } } as const;
    const board: Dashboard = {
      title: text,
      description: text,
      schemaVersion: 39,
      panels: [one],
      templating: { list: [who] },
    };
    const ask = async (sql: string) => {
      const found = answers[sql];
      if (found === undefined) throw new Error('no answer');
      return found;
    };
    return renderPage(board, { ask, nowMs: now, fromMs, uids, chosen: {} });
  }
});

describe("figures and empty cells are written as Grafana's own package does", () => {
  const { figures, emptyCells } = JSON.parse(readFileSync(join(fixtures, 'packages.json'), 'utf8'));
  for (const { unit, decimals, value, expected } of figures) {
    test(`${value} in ${unit}`, () => assert.equal(formatNumber(value, unit, decimals), expected));
  }
  for (const { value, expected } of emptyCells) {
    const field: Field = {
      ...{ name: 'a', label: 'a', kind: 'text', values: [], custom: {}, links: [], hidden: false },
      config: { noValue: 'none' },
    };
    test(`an empty cell: ${value}`, () => assert.equal(shown(field, value, now).text, expected));
  }
});

test('only html makes markup', () => {
  const parsed: unknown = JSON.parse('{"markup":"<script>"}');
  assert.equal(
    html`<p title="${'"'}">${String(parsed)}${'<\u202e\u0000'}${html`<b>${1}</b>`}</p>`.markup,
    '<p title="&quot;">[object Object]&lt;\uFFFD\uFFFD<b>1</b></p>',
  );
});

/**
 * Whether it was tried that the driver and the converters take the type (grafana/plugin). They make no difference between
 * precisions of a time, functions of an aggregate, and what is inside of a nested type, which becomes JSON.
 */
function isKnownType(type: string): boolean {
  if (/^(Array|Map|Tuple|Enum8|Enum16)\(/.test(type)) return true;
  const example = type
    .replace(/DateTime64\(\d(, '[^']*')?\)/, 'DateTime64(9)')
    .replace(/SimpleAggregateFunction\(\w+,/, 'SimpleAggregateFunction(max,');
  return typeCases.some((known) => known.type === example && known.answer.error === undefined);
}

function panel(type: string, answers: readonly string[]): Panel {
  const targets = answers.map((rawSql, index) => ({
    refId: 'ABC'[index],
    rawSql,
    format: type === 'timeseries' ? 0 : 1,
  }));
  const fieldConfig = { defaults: { noValue: 'nothing <yet>' }, overrides: [] };
  return {
    id: 7,
    type,
    title: hostile.tool,
    description: hostile.tool,
    gridPos: { x: 0, y: 0, w: 8, h: 8 },
    targets,
    fieldConfig,
  };
}

function override(name: string, properties: Readonly<Record<string, unknown>>) {
  const values = Object.entries(properties).map(([id, value]) => ({ id, value }));
  return { matcher: { id: 'byName', options: name }, properties: values };
}

function link(field: string) {
  return override('Name', { links: [{ title: 'Open', url: `/d/spanwarden-findings?x=${field}` }] });
}

function answer(columns: Readonly<Record<string, string>>, ...data: readonly (readonly unknown[])[]): Answer {
  return { meta: Object.entries(columns).map(([name, type]) => ({ name, type })), data };
}

function panelsOf({ panels = [] }: Dashboard): unknown[] {
  return panels.flatMap((each) => [each.id, ...('panels' in each ? each.panels.map(({ id }) => id) : [])]);
}

/** Reads the page as XML, which forgives nothing, and fails for what a page must not hold. */
function readPage({ html: text }: Page): { panels: string[] } {
  const allowed = new Set(elements.split(' '));
  const markup = text.replace('<!DOCTYPE html>\n', '');
  assert.equal(XMLValidator.validate(markup), true);
  const panels: string[] = [];
  const walk = (nodes: readonly Record<string, unknown>[]): void => {
    for (const { ':@': attributes = {}, ...node } of nodes) {
      const [name = '', inside] = Object.entries(node)[0] ?? [];
      if (name === '#text') continue;
      assert.ok(allowed.has(name), `<${name}>`);
      for (const [key, value] of Object.entries(attributes as Record<string, string>)) {
        assert.doesNotMatch(key, /^on|^src|^formaction/i, `${name} ${key}`);
        if (key === 'href') assert.match(value, /^(#|[\w-]+\.html)$/);
        if (key === 'style') assert.doesNotMatch(value, /url|expression|&|\\/);
        if (key === 'data-panel') panels.push(value);
      }
      walk(inside as Record<string, unknown>[]);
    }
  };
  const options = { preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '', processEntities: false };
  walk(new XMLParser(options).parse(markup));
  return { panels };
}

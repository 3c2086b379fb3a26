// `npm run grafana:packages -- <folder>`: what Grafana's own packages make of variables and figures. See README.md.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { repositoryRoot } from '../../scripts/repository.ts';
import { hostile } from '../../test/support/grafana-data.ts';

interface Packages {
  readonly formatRegistry: {
    get(id: string): { formatter(value: unknown, args: unknown[], variable: object): string };
  };
  readonly createTheme: () => object;
  readonly getDisplayProcessor: (options: object) => (value: unknown) => Shown;
}

interface Shown {
  readonly prefix?: string;
  readonly text: string;
  readonly suffix?: string;
}

const variableValues = ["!'()*\\\u0000$", 'a"b\'', ...Object.values(hostile), ['a', 'b'], ['p', "q'"]];

const figures: readonly (readonly [
  unit: string | undefined,
  decimals: number | undefined,
  values: readonly number[],
])[] = [
  [undefined, undefined, [0, 0.5, 12.345, 12_345.678]],
  ['none', undefined, [3, 12_345, 0.00012]],
  ['short', undefined, [0, 999, 1_000, 1_499, 1_234_567, 0.5]],
  ['short', 0, [1_234, 0.5, 12]],
  ['locale', undefined, [12, 1_234, 1_234_567.8]],
  ['percent', undefined, [12.345]],
  ['percentunit', 1, [0.123, 1]],
  ['bytes', undefined, [0, 500, 5_000_000]],
  ['decbytes', undefined, [5_000_000]],
  ['currencyUSD', undefined, [0.004, 12, 12_345]],
  ['ns', undefined, [1_500, 250_000_000, 60_000_000_000]],
  ['µs', 1, [2.5, 2_500]],
  ['ms', undefined, [250, 90_000, 7_200_000, 172_800_000]],
  ['s', undefined, [0.5, 75, 4_000, 90_000]],
  ['ops', undefined, [0.25]],
  ['weird', undefined, [5]],
  ['bool_yes_no', undefined, [0, 1]],
];

const [folder] = process.argv.slice(2);
if (folder === undefined) {
  process.stderr.write('Usage: npm run grafana:packages -- <folder with @grafana/data, @grafana/scenes and esbuild>\n');
  process.exitCode = 2;
} else {
  writeFixture(resolve(folder));
}

function writeFixture(installed: string): void {
  const { formatRegistry, createTheme, getDisplayProcessor } = bundled(installed);
  const version = (name: string): string =>
    JSON.parse(readFileSync(join(installed, 'node_modules', name, 'package.json'), 'utf8')).version;
  const formats = ['percentencode', 'sqlstring', 'singlequote'].flatMap((format) =>
    variableValues.map((value) => ({ format, value, expected: formatRegistry.get(format).formatter(value, [], {}) })),
  );
  const theme = createTheme();
  const shown = figures.flatMap(([unit, decimals, values]) => {
    const display = getDisplayProcessor({
      field: { name: 'a', type: 'number', values, config: { unit, decimals } },
      theme,
    });
    return values.map((value) => {
      const { prefix = '', text, suffix = '' } = display(value);
      return { unit, decimals, value, expected: prefix + text + suffix };
    });
  });
  const empty = getDisplayProcessor({
    field: { name: 'a', type: 'string', values: [], config: { noValue: 'none' } },
    theme,
  });
  const emptyCells = ['', null].map((value) => ({ value, expected: empty(value).text }));
  const versions = { '@grafana/data': version('@grafana/data'), '@grafana/scenes': version('@grafana/scenes') };
  const target = join(repositoryRoot, 'test/fixtures/grafana-plugin');
  mkdirSync(target, { recursive: true });
  const content = { versions, formats, figures: shown, emptyCells };
  writeFileSync(join(target, 'packages.json'), `${JSON.stringify(content, null, 2)}\n`);
}

/** The packages are made for pages: esbuild makes one file of them that Node can load. */
function bundled(installed: string): Packages {
  const own = createRequire(join(installed, 'package.json'));
  const scratch = mkdtempSync(join(tmpdir(), 'spanwarden-packages-'));
  const registry = 'node_modules/@grafana/scenes/dist/esm/variables/interpolation/formatRegistry.js';
  const contents = `export { formatRegistry } from './${registry}';\nexport { createTheme, getDisplayProcessor } from '@grafana/data';`;
  try {
    const outfile = join(scratch, 'packages.cjs');
    const esbuild = own('esbuild') as { buildSync(options: object): void };
    esbuild.buildSync({
      stdin: { contents, resolveDir: installed },
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile,
    });
    Object.assign(globalThis, { window: globalThis });
    return createRequire(outfile)(outfile) as Packages;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

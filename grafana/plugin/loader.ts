import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';

/** What stands in for a package that only Grafana's pages have. */
export type Stubs = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

type Exports = Record<string, unknown>;

/**
 * Loads TypeScript of the data source's checkout, with the TypeScript that stands in its own `node_modules`. Packages of
 * Grafana, React and anything else that draws are stubs: whatever they export can be called and does nothing.
 *
 * @param checkout folder of grafana/clickhouse-datasource after `npm install`.
 * @returns what loads a file by its path below `src`.
 */
export function pluginLoader(checkout: string, stubs: Stubs): (path: string) => Exports {
  const own = createRequire(join(resolve(checkout), 'package.json'));
  const typescript = own('typescript') as TypeScript;
  const source = join(resolve(checkout), 'src');
  const loaded = new Map<string, { exports: Exports }>();

  const load = (file: string): Exports => {
    const known = loaded.get(file);
    if (known !== undefined) return known.exports;
    const module = { exports: {} as Exports };
    loaded.set(file, module);
    const { outputText } = typescript.transpileModule(readFileSync(file, 'utf8'), {
      compilerOptions: { module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2022 },
      fileName: file,
    });
    const run = new Function('require', 'module', 'exports', outputText);
    run((name: string) => required(name, dirname(file)), module, module.exports);
    return module.exports;
  };

  const required = (name: string, from: string): unknown => {
    const stub = stubs[name];
    if (stub !== undefined) return withNothingElse(stub);
    const base = name.startsWith('.') ? join(from, name) : join(source, name);
    const file = [`${base}.ts`, join(base, 'index.ts')].find((path) => existsSync(path));
    if (file !== undefined) return load(file);
    return /^(lodash|rxjs|pgsql-ast-parser)/.test(name) ? own(name) : withNothingElse({});
  };

  return (path) => load(join(source, path));
}

interface TypeScript {
  readonly ModuleKind: Readonly<Record<string, number>>;
  readonly ScriptTarget: Readonly<Record<string, number>>;
  transpileModule(text: string, options: object): { readonly outputText: string };
}

/** The given exports, and for every other name a class and function without effect. */
function withNothingElse(exports: Readonly<Record<string, unknown>>): unknown {
  return new Proxy(exports, {
    get: (known, name) => (Object.hasOwn(known, name) ? known[String(name)] : name === '__esModule' ? true : nothing),
  });
}

function nothing(): unknown {
  return undefined;
}

import { blank, importsOf, isTest, resolveImport, type SourceFile, type Untidy } from './source.ts';

const root = 'collector/src';
const stages = ['receive', 'decode', 'normalise', 'detect', 'spool', 'store', 'export', 'api'];

/**
 * What pure stages may import from outside. Each entry is harmless: it computes, and neither reads a file, nor opens a
 * connection, nor looks at a clock.
 */
const pureStages: Readonly<Record<string, readonly string[]>> = {
  // isUtf8 and the decoders of base64 and hex.
  text: ['node:buffer'],
  // Buffer's own bounds-checked reads; gunzip is the receiver's.
  decode: ['node:buffer'],
  // hash() for message identity; crc32() of tokens; tables of public suffixes and numbering plans; the shell parser.
  normalise: ['node:buffer', 'node:crypto', 'node:zlib', 'libphonenumber-js/min', 'tldts', 'unbash'],
  // hash() for derived finding ids, isIP for cidr; YAML and RE2 compile rules; zod describes the config section.
  detect: ['node:buffer', 'node:crypto', 'node:net', 'js-yaml', 'yaml', 're2js', 'zod'],
};

/** What would make the same spans give other findings tomorrow, or reach outside. */
const impure = /\b(Date\.now|new Date\(\)|performance\.now|Math\.random|process\.\w+|setTimeout|setInterval|fetch)\b/;

/** Pure functions of texts: a stage may import them as it may `model/`, they import nothing of ours but `model/`. */
const shared = ['model', 'text'];

/** Stages never import each other, `model/` imports nothing outside itself, pure stages stay pure. */
export function layerProblems(files: readonly SourceFile[]): Untidy[] {
  return files.filter(({ path }) => path.startsWith(`${root}/`) && path.endsWith('.ts')).flatMap(problemsOf);
}

function problemsOf(file: SourceFile): Untidy[] {
  const layer = layerOf(file.path);
  if (isTest(file.path) || !(shared.includes(layer) || stages.includes(layer))) return [];
  const problems = importsOf(file.text).flatMap((specifier) => importProblem(file.path, layer, specifier));
  const found = layer in pureStages ? impure.exec(blank(file.text, { comments: true, strings: true })) : null;
  return found === null
    ? problems
    : [...problems, `${file.path}: ${found[0]} in a pure stage; let the caller pass it in`];
}

function importProblem(path: string, layer: string, specifier: string): Untidy[] {
  const target = resolveImport(path, specifier);
  if (target === undefined) {
    if (layer === 'model') return [`${path}: model imports ${specifier}; it may import nothing outside itself`];
    const allowed = pureStages[layer];
    if (allowed === undefined || allowed.includes(specifier)) return [];
    return [`${path}: ${layer} imports ${specifier}; a pure stage may import only ${allowed.join(', ')}`];
  }
  const other = layerOf(target);
  if (other === layer || (other === 'model' && layer !== 'model')) return [];
  if (other === 'text' && stages.includes(layer)) return [];
  return [`${path}: ${layer} imports ${target}; it may import only itself and ${shared.join(' and ')}`];
}

/** The folder under collector/src that a path is in; '' for files beside the folders, and for paths outside. */
function layerOf(path: string): string {
  const rest = path.startsWith(`${root}/`) ? path.slice(root.length + 1) : '';
  return rest.includes('/') ? rest.slice(0, rest.indexOf('/')) : '';
}

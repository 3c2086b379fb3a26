import { posix } from 'node:path';
import type { SourceFile, Untidy } from './source.ts';

/** Folders whose every subfolder with files must have a README that lists its children. */
const listed = ['collector/src', 'instrumentation/src'];

/**
 * The list in a folder's README (`- [name](name): …`) names exactly the folder's children. Tests, fixtures and the
 * README itself need not be named. A README without such a list is free text.
 */
export function readmeProblems(paths: readonly string[], readmes: readonly SourceFile[]): Untidy[] {
  const folders = childrenByFolder(paths);
  const texts = new Map(readmes.map(({ path, text }) => [posix.dirname(path), text]));
  const missing = [...folders.keys()]
    .filter((folder) => listed.some((root) => folder.startsWith(`${root}/`) && !/\/fixtures(\/|$)/.test(folder)))
    .filter((folder) => namesIn(texts.get(folder) ?? '').length === 0)
    .map((folder) => `${folder}: has no README.md that lists its files`);
  const different = [...texts].flatMap(([folder, text]) => {
    const names = namesIn(text);
    // The first page of the repository is for newcomers; it need not list every file.
    if (names.length === 0 || folder === '.') return [];
    return difference(folder, names, [...(folders.get(folder) ?? [])].filter(needsName));
  });
  return [...missing, ...different];
}

/** Links of a Markdown file to files that are not there. */
export function brokenLinks(paths: readonly string[], pages: readonly SourceFile[]): Untidy[] {
  const known = new Set(paths.flatMap((path) => [path, ...foldersOf(path)]));
  return pages.flatMap(({ path, text }) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => (link ?? '').replace(/#.*$/, ''))
      .filter((link) => link !== '' && !/^[a-z]+:/.test(link))
      .filter((link) => !known.has(posix.join(posix.dirname(path), link).replace(/\/$/, '')))
      .map((link) => `${path}: links to ${link}, which does not exist`),
  );
}

function difference(folder: string, names: readonly string[], children: readonly string[]): Untidy[] {
  const unnamed = children.filter((child) => !names.includes(child));
  const gone = names.filter((name) => !children.includes(name) && needsName(name));
  return [
    ...unnamed.map((name) => `${folder}/README.md: does not name ${name}`),
    ...gone.map((name) => `${folder}/README.md: names ${name}, which does not exist`),
  ];
}

/** Names of direct children in the list; links that lead elsewhere are no part of it. */
function namesIn(text: string): string[] {
  return [...withoutCode(text).matchAll(/^[-*] \[`?([^\]`]+?)\/?`?\]\(([^)]+?)\/?\)/gm)]
    .map((match) => (match[2] ?? '').replace(/^\.\//, ''))
    .filter((name) => !name.includes('/') && !/^[a-z]+:|^#/.test(name));
}

function withoutCode(text: string): string {
  return text.replace(/^```[\s\S]*?^```/gm, '').replace(/`[^`\n]*\]\([^`\n]*`/g, '');
}

function needsName(name: string): boolean {
  return name !== 'README.md' && name !== 'fixtures' && !/\.test\.(ts|yml)$/.test(name) && !name.startsWith('.');
}

function childrenByFolder(paths: readonly string[]): Map<string, Set<string>> {
  const folders = new Map<string, Set<string>>();
  for (const path of paths) {
    let child = path;
    for (const folder of foldersOf(path)) {
      folders.set(folder, (folders.get(folder) ?? new Set()).add(posix.basename(child)));
      child = folder;
    }
  }
  return folders;
}

/** The folders around a path, innermost first, the root as '.'. */
function foldersOf(path: string): string[] {
  const folder = posix.dirname(path);
  return folder === '.' ? ['.'] : [folder, ...foldersOf(folder)];
}

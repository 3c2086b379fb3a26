import type { SourceFile, Untidy } from './source.ts';

/** Rules without a test beside them, and tests without a rule. */
export function ruleTestProblems(paths: readonly string[]): Untidy[] {
  const rules = paths.filter((path) => /^rules\/.*\.ya?ml$/.test(path));
  return rules.flatMap((path) => {
    const other = path.endsWith('.test.yml')
      ? path.replace(/\.test\.yml$/, '.yml')
      : path.replace(/\.ya?ml$/, '.test.yml');
    return rules.includes(other) ? [] : [`${path}: ${other} is missing`];
  });
}

/** Error codes of the code that the page does not explain, with the right HTTP status, and the other way round. */
export function errorPageProblems(codes: Readonly<Record<string, number>>, page: string): Untidy[] {
  const rows = [...page.matchAll(/^\| `(SW_\w+)` \| (\d+|–) \|/gm)];
  const explained = new Map(rows.map(([, code, status]) => [code ?? '', status === '–' ? 0 : Number(status)]));
  const missing = Object.entries(codes).flatMap(([code, status]) => {
    if (!explained.has(code)) return [`docs/errors.md: does not explain ${code}`];
    return explained.get(code) === status ? [] : [`docs/errors.md: ${code} is answered with HTTP ${status || '–'}`];
  });
  const gone = [...explained.keys()]
    .filter((code) => !(code in codes))
    .map((code) => `docs/errors.md: ${code} is unknown`);
  return [...missing, ...gone];
}

/** Paths that only exist on the machine where somebody worked. */
export function machinePaths(files: readonly SourceFile[], places: readonly string[]): Untidy[] {
  return files.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, index) => {
      const found = places.find((place) => line.includes(place));
      return found === undefined ? [] : [`${path}:${index + 1}: names ${found}, a path of one machine`];
    }),
  );
}

/** Packages of a lockfile that name where they were downloaded: it would tie everybody to that place. */
export function lockfileProblems(lockfile: string): Untidy[] {
  const { packages } = JSON.parse(lockfile) as { packages: Record<string, { resolved?: string }> };
  return Object.entries(packages)
    .filter(([, entry]) => /^\w+:/.test(entry.resolved ?? ''))
    .map(([name]) => `package-lock.json: ${name} names its download address`);
}

/** Calls of process.exit outside the files that are a process of their own. */
export function exitProblems(files: readonly SourceFile[], allowed: readonly string[]): Untidy[] {
  return files
    .filter(({ path, text }) => !allowed.includes(path) && /\bprocess\.(exit|abort|reallyExit)\(/.test(text))
    .map(({ path }) => `${path}: ends the process; throw instead, main.ts decides`);
}

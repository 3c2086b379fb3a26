import type { DetectConfig } from '../detect/config.ts';
import type { RuleSource } from '../detect/load.ts';
import { mergeLists, parseListFile } from '../detect/parse/list-file.ts';
import { Report } from '../detect/report.ts';
import { type Problem, SpanwardenError } from '../model/errors.ts';

/**
 * The values of all placeholders: of the list files and of the config, which may not name the same, and of `--list`, which
 * replaces them. Throws one SpanwardenError with everything that is wrong with them.
 */
export function placeholderLists(
  files: readonly RuleSource[],
  config: Pick<DetectConfig, 'lists'> | undefined,
  written: readonly string[] = [],
): ReadonlyMap<string, readonly string[]> {
  const { lists, problems } = readLists(files, config, written);
  if (problems.length > 0) throw new SpanwardenError(problems);
  return lists;
}

/** The same without throwing for what stands in files: the lists without an error, and all errors. */
export function readLists(
  files: readonly RuleSource[],
  config: Pick<DetectConfig, 'lists'> | undefined,
  written: readonly string[] = [],
): { readonly lists: ReadonlyMap<string, readonly string[]>; readonly problems: readonly Problem[] } {
  const report = new Report();
  const lists = files.map(({ path, text }) => parseListFile(path, text, report)).filter((list) => list !== undefined);
  const given = { lists: new Map(Object.entries(config?.lists ?? {})), from: '`detect.lists` of the config' };
  const merged = mergeLists(lists, [given], report);
  return { lists: new Map([...merged, ...listsOf(written)]), problems: report.errors };
}

/** The values of `--list name=value,value`, by name. */
export function listsOf(written: readonly string[]): Map<string, readonly string[]> {
  const lists = new Map<string, readonly string[]>();
  for (const each of written) {
    const [, name, values] = /^([\w.-]+)=(.+)$/s.exec(each) ?? [];
    if (name === undefined || values === undefined) {
      const advice = 'Write --list name=value,value.';
      throw new SpanwardenError({ code: 'SW_RULE_VALUE', message: `\`${each}\` is no list`, advice });
    }
    lists.set(name, values.split(','));
  }
  return lists;
}

/** Commander's way to let an option stand several times. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

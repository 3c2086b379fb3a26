import type { ExportEvent } from '../model/export-event.ts';
import { type Level, severityId } from '../model/severity.ts';

/** What of findings and cases to look at. Lists are alternatives; what is left out is not asked for. */
export interface Conditions {
  readonly tags?: readonly string[] | undefined;
  readonly agents?: readonly string[] | undefined;
  readonly rules?: readonly string[] | undefined;
}

export interface Filter extends Conditions {
  readonly level?: Level | undefined;
  readonly exclude?: Conditions | undefined;
}

/**
 * Whether a destination is to get an event. It must fit every list of the filter that is there, and none of those in `exclude`. Compared
 * without case, `*` stands for any characters. Cases have no tags: a list of tags lets every case pass, and excludes none.
 */
export function compileFilter(
  kinds: readonly ExportEvent['kind'][],
  filter: Filter = {},
): (event: ExportEvent) => boolean {
  const levelMin = severityId(filter.level ?? 'informational');
  const wanted = compile(filter);
  const unwanted = compile(filter.exclude ?? {});
  return (event) => {
    if (!kinds.includes(event.kind)) return false;
    const names = namesOf(event);
    if (severityId(names.level) < levelMin) return false;
    const isWanted = wanted.every(([key, fits]) => names[key] === undefined || names[key].some(fits));
    return isWanted && !unwanted.some(([key, fits]) => names[key]?.some(fits));
  };
}

interface Names extends Record<keyof Conditions, readonly string[] | undefined> {
  readonly level: Level;
}

function namesOf(event: ExportEvent): Names {
  if (event.kind === 'finding') {
    const { level, tags, agentName, serviceName, ruleId, ruleTitle } = event.finding;
    return { level, tags, agents: [agentName, serviceName], rules: [ruleId, ruleTitle] };
  }
  const { level, agents, votes } = event.case;
  return { level, tags: undefined, agents, rules: votes.flatMap(({ ruleId, ruleTitle }) => [ruleId, ruleTitle]) };
}

function compile(conditions: Conditions): [keyof Conditions, (text: string) => boolean][] {
  return (['tags', 'agents', 'rules'] as const).flatMap((key) => {
    const patterns = conditions[key]?.map(globMatcher);
    return patterns === undefined ? [] : [[key, (text: string) => patterns.some((matches) => matches(text))]];
  });
}

/** A text with `*` as a test, in time linear in what is tested for each `*`. */
export function globMatcher(pattern: string): (text: string) => boolean {
  const [first = '', ...rest] = pattern.toLowerCase().split('*');
  const last = rest.pop();
  if (last === undefined) return (text) => text.toLowerCase() === first;
  return (text) => {
    const lower = text.toLowerCase();
    if (lower.length < first.length + last.length || !lower.startsWith(first) || !lower.endsWith(last)) return false;
    const end = lower.length - last.length;
    let at = first.length;
    for (const part of rest) {
      const found = lower.indexOf(part, at);
      if (found === -1 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}

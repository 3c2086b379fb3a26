import { SpanwardenError } from '../model/errors.ts';

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

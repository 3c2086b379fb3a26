import { watchYaml } from '../cli/watch-files.ts';

export interface RuleWatchOptions {
  /** Files and folders to look at; asked again after every reload. */
  paths(): readonly string[];
  reload(): void;
  failed(error: unknown): void;
}

/** Reloads when a YAML file changes, until closed. */
export function watchRules({ paths, reload, failed }: RuleWatchOptions): { close(): void } {
  let watched = '';
  let close = (): void => {};
  const open = (): void => {
    const wanted = paths();
    const key = wanted.join('\0');
    if (key === watched) return;
    close();
    watched = key;
    close = watchYaml(wanted, changed, failed);
  };
  const changed = (): void => {
    reload();
    open();
  };
  open();
  return { close: () => close() };
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join, resolve } from 'node:path';
import { InvalidArgumentError } from 'commander';
import type { Config } from '../config/schema.ts';
import { readRules } from '../detect/load.ts';
import { SpanwardenError } from '../model/errors.ts';
import { createFieldTable } from '../model/fields.ts';
import type { StoreClient } from '../store/client.ts';
import type { StoredFinding } from '../store/findings-reader.ts';
import { readRuleFiles, rulePaths } from './load-rules.ts';
import { placeholderLists } from './rule-lists.ts';
import { spanOfFinding } from './stored-span.ts';
import { type Draft, draftSuppression } from './suppression-draft.ts';
import { type Preview, previewFilter } from './suppression-preview.ts';
import type { Terminal } from './terminal.ts';

/** What a suppression is to say about itself. */
export interface DraftWords {
  readonly owner: string;
  readonly reason: string;
  readonly expires: string;
}

/** How long a suppression lasts unless somebody says otherwise. */
const expiryDays = 90;
const dayMs = 86_400_000;

/** Blast radii are of so much history. */
export const historyDays = 30;

/** A draft with what its suppression would have hidden. */
export type Offer = Exclude<Draft, { status: 'drafted' }> | (Draft & { status: 'drafted'; readonly preview: Preview });

/** The suppression and the test for a finding, proven by running them on its stored span, and the price of the suppression. */
export async function draftFor(
  config: Config,
  client: StoreClient,
  finding: StoredFinding,
  words: DraftWords,
): Promise<Offer> {
  const fields = createFieldTable();
  const span = await spanOfFinding(client, finding, fields);
  if (!span) return { status: 'none', why: 'its span is not stored any more' };
  const files = readRuleFiles(rulePaths(config.detect));
  const lists = placeholderLists(files.lists, config.detect);
  const draft = draftSuppression({ finding, span, fields, sources: files.rules, lists, ...words });
  if (draft.status === 'none') return draft;
  const path = `${draft.name}.yml`;
  const { filters, ...set } = readRules([...files.rules, { path, text: draft.suppression }], { lists });
  const filter = filters.find(({ file }) => file === path)!;
  return { ...draft, preview: await previewFilter(client, filter, set, new Date(Date.now() - historyDays * dayMs)) };
}

/** Writes `<name>.yml` or `<name>.test.yml`, never over another file, and gives its path. */
export function writeDraft(folder: string, file: string, text: string): string {
  const path = join(folder, file);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path, text, { flag: 'wx' });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const message = code === 'EEXIST' ? `${path} is there already` : `${path} cannot be written: ${code}`;
    throw new SpanwardenError({ code: 'SW_RULE_FILE', message, advice: 'Name another folder, or move the file away.' });
  }
  return path;
}

/** Whether the collector of a config reads a folder. */
export function isRead(config: Config, folder: string): boolean {
  const path = resolve(folder);
  return config.detect.rules.some((each) => path === resolve(each) || path.startsWith(`${resolve(each)}/`));
}

/** A day as `--expires` takes it: `90d` from now, or YYYY-MM-DD. */
export function parseExpiry(text: string, nowMs: number): string {
  const days = /^(\d{1,4})d$/.exec(text)?.[1];
  const day = days === undefined ? text : new Date(nowMs + Number(days) * dayMs).toISOString().slice(0, 10);
  const ms = /^\d{4}-\d\d-\d\d$/.test(day) ? Date.parse(day) : Number.NaN;
  if (Number.isNaN(ms) || ms + dayMs <= nowMs)
    throw new InvalidArgumentError('Write 90d, or a day to come: 2027-01-31.');
  return day;
}

export function expiryDefault(nowMs: number): string {
  return parseExpiry(`${expiryDays}d`, nowMs);
}

/** Who runs the command, for the record. */
export function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a number without a name.
    return String(process.getuid?.() ?? 'unknown');
  }
}

/** A file as text under a heading, so that it can be told from the next. */
export function fileText(name: string, text: string, terminal: Terminal): string {
  return `${terminal.dim(`# ${name}`)}\n${text}\n`;
}

import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Config } from '../config/schema.ts';
import { nodeFiles } from '../spool/files.ts';
import { lateMs, summarise, surveySpool } from '../spool/survey.ts';
import { type Check, failed, ok, skipped, warning } from './check.ts';

const mebibyte = 1024 * 1024;
/** Room that the embedded ClickHouse needs for merges, and everybody for logs. */
const freeBytesMin = 1024 * mebibyte;

/** Whether the data directory can be used, and has room. */
export function checkDisk(config: Config): Check {
  const directory = resolve(config.data_dir);
  const place = existsSync(directory) ? directory : dirname(directory);
  try {
    accessSync(place, constants.R_OK | constants.W_OK);
  } catch {
    return failed(
      'disk',
      `${place} cannot be written`,
      'Make it writable for this user, or set data_dir in the config.',
    );
  }
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const text = `${Math.round(free / mebibyte)} MiB free for ${directory}`;
  if (free < freeBytesMin) return warning('disk', text, 'Make room: with a full disk nothing is taken in.');
  if (free >= config.spool.bytes_max) return ok('disk', text);
  const seen = `${text}, and the spool may take ${Math.round(config.spool.bytes_max / mebibyte)}`;
  return warning('disk', seen, 'Set spool.bytes_max below what is free, so that the disk never fills.');
}

/** What waits in the spool, and what was set aside. */
export async function checkSpool(config: Config): Promise<Check> {
  const place = { files: nodeFiles, directory: join(config.data_dir, 'spool') };
  const survey = await surveySpool(place).catch(() => undefined);
  if (survey === undefined) return skipped('spool', 'nothing was taken in yet');
  const { unsent, deadLetters, quarantined } = summarise(survey, Date.now());
  const seen = `${unsent.segments} segments wait, ${deadLetters.segments} have dead letters`;
  if (unsent.oldestMs > lateMs) {
    const since = `${seen}; the oldest waits for ${Math.round(unsent.oldestMs / 1000)} s`;
    return failed('spool', since, 'See the line of ClickHouse.');
  }
  if (deadLetters.segments > 0) return warning('spool', seen, 'Look at them: spanwarden spool dead-letter list');
  if (quarantined.files > 0) {
    return warning('spool', `${quarantined.files} files in quarantine/`, 'Bytes were damaged: check the disk.');
  }
  return ok('spool', seen);
}

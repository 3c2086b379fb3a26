import { Option } from 'commander';
import { parseSince } from './findings-filter.ts';

const dayMs = 86_400_000;
const forms = '30m, 24h, 7d, or a time such as 2026-11-22T10:00:00Z';

/**
 * `--since <when>`, milliseconds since 1970. Without `days` there is no default; with it the help names it as somebody would type it,
 * not as the number that it comes to.
 */
export function sinceOption(nowMs: number, days?: number, what = ''): Option {
  const option = new Option('--since <when>', what === '' ? forms : `${what}: ${forms}`);
  option.argParser((text) => parseSince(text, nowMs));
  return days === undefined ? option : option.default(nowMs - days * dayMs, `${days}d`);
}

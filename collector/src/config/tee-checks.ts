import { hostname, networkInterfaces } from 'node:os';
import type { TeeConfig } from '../export/tee/config.ts';
import { isLoopback, parseListen } from '../receive/config.ts';
import type { RedactConfig } from '../redact/config.ts';

/** What sections say that a tee has to fit. */
export interface TeeSurroundings {
  readonly tee: TeeConfig;
  readonly redact: RedactConfig;
  readonly receive: { readonly http: { readonly listen: string } };
  readonly export: { readonly destinations: Readonly<Record<string, unknown>> };
}

export interface TeeProblem {
  readonly path: readonly string[];
  readonly message: string;
}

const tables = { traces: 'otel_traces', logs: 'otel_logs', metrics: 'otel_metrics' } as const;

/** What is wrong with tees as they stand beside the rest of the config. */
export function teeProblems({ tee, redact, receive, export: { destinations } }: TeeSurroundings): TeeProblem[] {
  return Object.entries(tee.destinations).flatMap(([name, { endpoint, signals, contents }]) => {
    const problems: TeeProblem[] = [];
    const at = (path: readonly string[], message: string) =>
      problems.push({ path: ['tee', 'destinations', name, ...path], message });
    if (name in destinations) at([], `export.destinations has a ${name} already: choose another name`);
    const redacted = signals.find((signal) => (redact.tables[tables[signal]] ?? redact.profile) !== 'off');
    if (redacted !== undefined && contents === undefined) {
      const profile = redact.tables[tables[redacted]] ?? redact.profile;
      at(
        [],
        `a tee sends ${redacted} as they came in, with what redact: ${profile} takes out before storage: write contents: as_sent ` +
          `if that is meant, or redact.tables.${tables[redacted]}: off if nothing is secret in them`,
      );
    }
    if (isOwn(new URL(endpoint), receive.http.listen))
      at(['endpoint'], `this is the collector itself, which listens on ${receive.http.listen}: name another receiver`);
    return problems;
  });
}

/** Whether what is sent to an address comes in at the one that is listened on, as far as that can be seen without asking a name server. */
function isOwn(endpoint: URL, listening: string): boolean {
  const { host, port } = parseListen(listening);
  if (port === 0 || Number(endpoint.port || (endpoint.protocol === 'https:' ? 443 : 80)) !== port) return false;
  const target = endpoint.hostname.replace(/^\[|\]$/g, '').toLowerCase();
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each?.map(({ address }) => address) ?? []);
  const isHere = (name: string): boolean =>
    isLoopback(name) || name === hostname().toLowerCase() || addresses.includes(name) || everywhere.includes(name);
  if (everywhere.includes(host)) return isHere(target);
  if (target === host.toLowerCase()) return true;
  const isName = target === 'localhost' || target.endsWith('.localhost') || everywhere.includes(target);
  return isName ? isLoopback(host) : target === hostname().toLowerCase() && addresses.includes(host);
}

/** All addresses of the machine. */
const everywhere: readonly string[] = ['0.0.0.0', '::'];

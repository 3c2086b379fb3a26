import type { Config } from './config/schema.ts';
import { otlpJsonToProtobuf } from './decode/json.ts';
import { type Exporter, openAll } from './export/exporter.ts';
import { openTees, type TeesOptions } from './export/tee/tees.ts';
import type { Metrics } from './metrics.ts';
import { Originals } from './originals.ts';
import type { HoldOptions, Spool } from './spool/contract.ts';
import { segmentAfter } from './spool/tail.ts';
import { TeeSource } from './tee-source.ts';
import { spanwardenVersion } from './version.ts';

/** Requests that go on as they came. */
export interface Teeing {
  /** What the pipeline keeps of requests; undefined when nobody wants them. */
  readonly originals: Originals | undefined;
  readonly exporter: Exporter;
  /** What a person should look at beyond the tees themselves. */
  warnings(): readonly string[];
}

/** How much the spool keeps for tees; nothing where there is none. */
export function holdFor({ tee }: Config): HoldOptions | undefined {
  if (Object.keys(tee.destinations).length === 0) return undefined;
  return { bytesMax: tee.bytes_max, ageMaxMs: tee.age_max_ms };
}

/** What tees need of the rest, for the collector and for commands alike. */
export function teeEnvironment(
  config: Config,
): Pick<TeesOptions, 'product' | 'now' | 'denyPrivateAddresses' | 'toProtobuf'> {
  return {
    product: { name: 'spanwarden', version: spanwardenVersion() },
    now: Date.now,
    denyPrivateAddresses: config.export.deny_private_addresses,
    toProtobuf: (json, signal) => {
      const translated = otlpJsonToProtobuf(json, signal);
      return translated.status === 'ok' ? translated.bytes : undefined;
    },
  };
}

export interface TeeingOptions {
  readonly config: Config;
  readonly dataDir: string;
  readonly spool: Spool;
  readonly metrics: Metrics;
  readonly logger: NonNullable<TeesOptions['logger']>;
}

/** Opens the tees of the config, before anything is appended. Throws a SpanwardenError when one cannot be opened. */
export async function openTeeing({ config, dataDir, spool, metrics, logger }: TeeingOptions): Promise<Teeing> {
  const { destinations } = config.tee;
  if (holdFor(config) === undefined) {
    return { originals: undefined, exporter: await openAll([], neverOpened), warnings: () => [] };
  }
  const exporter = await openTees({
    ...teeEnvironment(config),
    ...{ config: config.tee, dataDir, logger },
    source: () => new TeeSource(spool.originals()),
    needed: (position) => spool.holdFrom(segmentAfter(position)),
  });
  const originals = new Originals(Object.values(destinations).flatMap(({ signals }) => signals));
  addTeeGauges(metrics, spool, originals);
  return { originals, exporter, warnings: () => warningsOf(spool, originals) };
}

const neverOpened = () => Promise.reject(new Error('there is no tee'));

function addTeeGauges({ gauge }: Metrics, spool: Spool, originals: Originals): void {
  gauge('spanwarden_tee_held_bytes', 'Bytes of the spool that are kept for tees.', () => spool.stats().heldBytes);
  gauge(
    'spanwarden_tee_lost_segments',
    'Segments given up before every tee had sent what is in them, since the start.',
    () => spool.stats().heldSegmentsLost,
  );
  gauge('spanwarden_tee_looped_requests', 'Requests that came through too many tees.', () => originals.looped);
}

function warningsOf(spool: Spool, { looped }: Originals): string[] {
  const { heldSegmentsLost: lost } = spool.stats();
  const warnings: string[] = [];
  if (lost > 0)
    warnings.push(
      `${lost} segments were given up before every tee had sent what is in them: tee.bytes_max, tee.age_max_ms`,
    );
  if (looped > 0)
    warnings.push(`${looped} requests came through too many tees and go no further: tees stand in a circle`);
  return warnings;
}

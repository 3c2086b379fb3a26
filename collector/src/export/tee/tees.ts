import { limits } from '../../model/limits.ts';
import { type TeeRequest, type TeeSignal, teeSignals } from '../../model/tee-request.ts';
import type { Destination } from '../contract.ts';
import { type Clock, systemClock } from '../delivery/clock.ts';
import type { ExportLogger } from '../delivery/health.ts';
import { type Exporter, openAll } from '../exporter.ts';
import { openRunning, type Running } from '../running.ts';
import type { EventSource } from '../source.ts';
import type { TeeConfig, TeeDestinationConfig } from './config.ts';
import { type TeeContext, teeDestination } from './destination.ts';
import { servicesCut } from './services.ts';

export interface TeesOptions extends Omit<TeeContext, 'denyPrivateAddresses'> {
  readonly config: TeeConfig;
  /** Where a tee does not say otherwise. */
  readonly denyPrivateAddresses: boolean;
  readonly dataDir: string;
  /** Requests, for one reader; asked for by each tee. */
  source(): EventSource<TeeRequest>;
  /** A request in JSON as protobuf; undefined for one that is none. */
  toProtobuf(json: Buffer, signal: TeeSignal): Buffer | undefined;
  /** Told of the first position that is still needed by one of them, whenever that is durable. */
  needed(position: number): void;
  readonly logger?: ExportLogger;
  readonly clock?: Clock;
}

/** A tee that was opened, for the collector and for commands. */
export interface OpenTee {
  readonly destination: Destination<TeeRequest>;
  /** The request as the receiver is to get it; undefined when it is not to get it. */
  prepare(request: TeeRequest): TeeRequest | undefined;
}

/** Opens a tee; its receiver is asked for nothing yet. Throws a SpanwardenError when files of `tls` cannot be used. */
export function openTee(
  config: TeeDestinationConfig,
  options: Pick<TeesOptions, 'product' | 'now' | 'denyPrivateAddresses' | 'toProtobuf'>,
): OpenTee {
  const { product, now, toProtobuf } = options;
  const denyPrivateAddresses = config.deny_private_addresses ?? options.denyPrivateAddresses;
  const cut = config.services && servicesCut(config.services);
  return {
    destination: teeDestination(config, { product, now, denyPrivateAddresses }),
    prepare: (request) => {
      if (!config.signals.includes(request.signal)) return undefined;
      const mayStay = request.encoding === 'protobuf' || (config.json === 'as_sent' && cut === undefined);
      const translated = mayStay ? request.bytes : toProtobuf(request.bytes, request.signal);
      if (translated === undefined) throw new Error('a request in JSON that was taken in cannot be read again');
      const encoding = mayStay ? request.encoding : 'protobuf';
      const bytes = cut === undefined ? translated : cut(translated);
      return bytes && { ...request, encoding, bytes };
    },
  };
}

/** Opens every tee of the config. Throws as `openExporter`. */
export async function openTees(options: TeesOptions): Promise<Exporter> {
  const { destinations } = options.config;
  const names = Object.keys(destinations);
  const durable = new Map(names.map((name) => [name, -1]));
  const written = (name: string, position: number): void => {
    durable.set(name, position);
    options.needed(Math.min(...durable.values()));
  };
  const opening = (name: string): Promise<Running> => open(name, destinations[name]!, names.length, options, written);
  return openAll(names, opening);
}

function open(
  name: string,
  config: TeeDestinationConfig,
  tees: number,
  options: TeesOptions,
  written: (name: string, position: number) => void,
): Promise<Running> {
  const { dataDir, logger, clock = systemClock } = options;
  const { concurrency, batch } = config;
  return openRunning<TeeRequest>({
    ...{ name, section: 'tee.destinations', type: 'tee', from: 'now', dataDir, clock, logger },
    ...openTee(config, options),
    source: options.source(),
    lanes: concurrency * teeSignals.length,
    // Those of one signal side by side, so that they can go together.
    laneOf: ({ signal, id }) => teeSignals.indexOf(signal) * concurrency + (Number(id) % concurrency),
    batch: { eventsMax: batch.requests, bytesMax: batch.bytes, lingerMs: batch.linger_ms },
    window: { eventsMax: limits.teeWindowRequestsMax, bytesMax: Math.floor(limits.teeWindowBytesMax / tees) },
    written: (position) => written(name, position),
  });
}

import { setTimeout as sleep } from 'node:timers/promises';
import type { World } from './world.ts';

export interface Fault {
  readonly name: string;
  /** How often it comes, compared with the others. */
  readonly weight: number;
  readonly needsDisk?: true;
  /** Makes trouble for a while and ends it. */
  strike(world: World, random: () => number): Promise<void>;
}

const forAWhile = (random: () => number, mostMs: number): Promise<void> => sleep(100 + random() * mostMs);

/** Everything that befalls a collector in a bad week. */
export const faults: readonly Fault[] = [
  { name: 'collector killed', weight: 6, strike: (world) => world.restartCollector() },
  { name: 'ClickHouse killed', weight: 2, strike: (world) => world.restartClickhouse() },
  {
    name: 'both killed',
    weight: 1,
    strike: async (world) => {
      await Promise.all([world.restartCollector(), world.restartClickhouse()]);
    },
  },
  {
    name: 'collector stopped',
    weight: 2,
    strike: (world, random) => stopped(world.collector.pid, forAWhile(random, 3_000)),
  },
  {
    name: 'ClickHouse stopped',
    weight: 2,
    strike: (world, random) => stopped(world.clickhouse.pid, forAWhile(random, 3_000)),
  },
  { name: 'senders cut off', weight: 3, strike: async (world) => world.incoming.cut() },
  { name: 'inserts cut off', weight: 3, strike: async (world) => world.outgoing.cut() },
  {
    name: 'ClickHouse refuses connections',
    weight: 1,
    strike: async (world, random) => {
      world.outgoing.refuse();
      await forAWhile(random, 2_000);
      world.outgoing.heal();
    },
  },
  {
    name: 'answers of ClickHouse lost',
    weight: 2,
    strike: async (world, random) => {
      world.outgoing.stall();
      await forAWhile(random, 2_000);
      world.outgoing.cut();
      world.outgoing.heal();
    },
  },
  {
    name: 'answers to senders lost',
    weight: 2,
    strike: async (world, random) => {
      world.incoming.stall();
      await forAWhile(random, 2_000);
      world.incoming.cut();
      world.incoming.heal();
    },
  },
  {
    name: 'disk full',
    weight: 1,
    needsDisk: true,
    strike: async (world, random) => {
      world.disk!.fill();
      await forAWhile(random, 3_000);
      world.disk!.free();
    },
  },
  {
    name: 'disk full, then killed',
    weight: 1,
    needsDisk: true,
    strike: async (world, random) => {
      world.disk!.fill();
      await forAWhile(random, 1_000);
      await world.collector.end('SIGKILL');
      world.disk!.free();
      await world.restartCollector();
    },
  },
];

async function stopped(pid: number, until: Promise<void>): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  await until;
  process.kill(pid, 'SIGCONT');
}

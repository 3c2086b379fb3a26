// `node bench/intake.ts [--peer <program>] [--quick] [--json]`: what it costs to take spans in, by size and protocol, of our collector under
// several rules and of the OpenTelemetry Collector beside it; and what each does when less or more is offered than it can take.
// A part of it: [--size 700|3000|30000] [--protocol <name>] [--targets <a>|<b>] [--no-curve] [--curve-only]; longer: [--rounds 2] [--requests 64].
// Linux only. Kept figures stand in bench/README.md.
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Protocol, protocols, RequestFiles, spansPerRequest } from './intake/requests.ts';
import { measureRound, type Round } from './intake/round.ts';
import { type Cell, printed, type Step } from './intake/table.ts';
import { ownNames, peerNames, startTarget, type Target, type TargetName } from './intake/targets.ts';
import { type SpanSize, spanSizes } from './spans.ts';

const { values } = parseArgs({
  options: {
    peer: { type: 'string' },
    quick: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    size: { type: 'string' },
    rounds: { type: 'string' },
    targets: { type: 'string' },
    protocol: { type: 'string' },
    requests: { type: 'string' },
    'curve-only': { type: 'boolean', default: false },
    'no-curve': { type: 'boolean', default: false },
  },
});
const peer = values.peer;
const rounds = Number(values.rounds ?? (values.quick ? 1 : 2));
const sizes = values.size === undefined ? spanSizes : [Number(values.size) as SpanSize];
/** By turns, ours and the peer, so that neither has the quieter minutes. */
const all: readonly TargetName[] = [ownNames[0], peerNames[0], ownNames[1], peerNames[1], ownNames[2], ownNames[3]];
const names = all.filter(
  (name) => (peer !== undefined || !name.startsWith('peer')) && (values.targets?.split('|').includes(name) ?? true),
);
const chosen = protocols.filter((protocol) => values.protocol === undefined || values.protocol === protocol);
/** Requests of a round, ten to twenty seconds for the slowest on a busy machine. */
const usual = values.quick ? { 700: 32, 3000: 16, 30000: 8 } : { 700: 64, 3000: 20, 30000: 16 };
const requestsOf = (size: SpanSize): number => Number(values.requests ?? usual[size]);
const offers = [0.1, 0.25, 0.5, 0.75, 1, 1.5];
const stepSeconds = values.quick ? 3 : 8;

const folder = mkdtempSync(join(tmpdir(), 'spanwarden-intake-'));
const files = new RequestFiles(folder, new Map(sizes.map((size) => [size, requestsOf(size) * 2])));
const say = (text: string) => process.stderr.write(`${text}\n`);
const [cells, steps]: [Cell[], Step[]] = [[], []];
try {
  if (!values['curve-only']) for (const size of sizes) await measureSize(size);
  if (!values['no-curve']) await measureOffers(sizes[0]!, protocols[1]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const machine = `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}`;
const result = { machine, date: new Date().toISOString(), cells, steps };
process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : `${machine}\n\n${printed(cells, steps)}`);

/** All targets run for as long as one size takes, so that code is compiled and each has the machine as the others have it. */
async function measureSize(size: SpanSize): Promise<void> {
  await withTargets(names, async (targets) => {
    for (const [place, protocol] of chosen.entries()) {
      const got = new Map<TargetName, { round: Round; load: number }[]>();
      for (let i = 0; i < rounds; i++) {
        const requests = requestsOf(size);
        // Until code is compiled; later only what is new in a protocol.
        const warmUp = i === 0 && place === 0 ? requests : Math.ceil(requests / 4);
        const file = files.write(size, protocol, warmUp + requests);
        for (const target of targets) {
          const load = { file, protocol, spansPerRequest: spansPerRequest(size), warmUp, requests };
          const round = await measureRound(target, load);
          got.set(target.name, [...(got.get(target.name) ?? []), { round, load: loadavg()[0]! }]);
          say(`${size} B, ${protocol}, ${target.name}: ${JSON.stringify(round)}, load ${loadavg()[0]}`);
        }
        rmSync(file);
      }
      for (const [target, of] of got) cells.push(cellOf(size, protocol, target, of));
    }
  });
}

/** The round that cost least: other work on the machine only ever adds. Peak memory and losses are those of the worst. */
function cellOf(size: SpanSize, protocol: Protocol, target: TargetName, of: { round: Round; load: number }[]): Cell {
  const best = of.toSorted((a, b) => a.round.cpuSecondsPerMillion - b.round.cpuSecondsPerMillion)[0]!;
  return {
    size,
    protocol,
    target,
    ...best.round,
    peakMemoryMiB: Math.max(...of.map(({ round }) => round.peakMemoryMiB)),
    lost: of.map(({ round }) => round.lost).toSorted((a, b) => Math.abs(b) - Math.abs(a))[0]!,
    load: best.load,
  };
}

async function measureOffers(size: SpanSize, protocol: Protocol): Promise<void> {
  const per = spansPerRequest(size);
  const inTurn = names.filter((name) => name !== 'no rules' && name !== 'no rules, no redaction');
  for (const name of inTurn) {
    await withTargets([name], async ([target]) => {
      const requests = requestsOf(size);
      const file = files.write(size, protocol, requests * 2);
      const load = { file, protocol, spansPerRequest: per, warmUp: requests, requests };
      const takes = (await measureRound(target!, load)).spansPerSecond;
      rmSync(file);
      for (const offer of offers) {
        const requestsPerSecond = (takes * offer) / per;
        const offered = Math.ceil(requestsPerSecond * stepSeconds);
        const stepFile = files.write(size, protocol, offered);
        const round = await measureRound(target!, {
          ...load,
          file: stepFile,
          warmUp: 0,
          requests: offered,
          requestsPerSecond,
        });
        rmSync(stepFile);
        steps.push({ target: name, takes, offer, offered, ...round, load: loadavg()[0]! });
        say(`${name}: ${Math.round(offer * 100)} % of ${takes} spans/s offered, load ${loadavg()[0]}`);
      }
    });
  }
}

async function withTargets(
  wanted: readonly TargetName[],
  use: (targets: readonly Target[]) => Promise<void>,
): Promise<void> {
  const targets: Target[] = [];
  try {
    for (const name of wanted) targets.push(await startTarget(name, peer ?? ''));
    await use(targets);
  } finally {
    for (const target of targets) await target.stop();
  }
}

// `npm run test:chaos -- [--minutes <n>] [--seed <n>] [--json]`: the whole way under faults, then stops with as much remembered as rules may.
// Exit code 1 when something was lost or is there twice, or a stop took too long. Loopback only; ends by itself.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { type ChaosReport, isClean, runChaos } from './chaos.ts';
import { isInOrder, type LargeStateReport, runLargeState } from './large-state.ts';

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '3' }, seed: { type: 'string' }, json: { type: 'boolean' } },
});
const seed = Number(values.seed ?? Date.now() % 1_000_000);
const seconds = Math.min(3600, Number(values.minutes) * 60);
if (!Number.isInteger(seed) || !(seconds > 0)) throw new RangeError('--seed and --minutes are numbers');

process.stderr.write(`chaos for ${seconds} s, seed ${seed}\n`);
const started = Date.now();
const report = await runChaos({
  seconds,
  seed,
  onFault: (name) =>
    process.stderr.write(`${String(Math.round((Date.now() - started) / 1000)).padStart(4)} s  ${name}\n`),
});
const stops: LargeStateReport[] = [];
for (const disk of [{}, { diskBytesPerSecond: 4_000_000 }]) {
  process.stderr.write('stops with a million groups\n');
  stops.push(await runLargeState({ orders: 199_680, correlations: 5, stops: 3, ...disk }));
}
const clean = isClean(report) && stops.every(isInOrder);
if (values.json) process.stdout.write(`${JSON.stringify({ clean, ...report, stops })}\n`);
else process.stdout.write(`${told(report)}${stops.map(toldStops).join('')}${clean ? 'clean' : 'NOT CLEAN'}\n`);
process.exitCode = clean ? 0 : 1;

function told(of: ChaosReport): string {
  const { missing, doubled, surplus, findings, log } = of;
  if (!isClean(of)) process.stderr.write(log);
  const faults = Object.entries(of.faults).map(([name, n]) => `${n} × ${name}`);
  return (
    `${faults.join(', ')}\n` +
    `${of.requests} requests, ${of.acknowledged} spans acknowledged, ${of.stored} stored, ${of.resent} batches resent, ${of.regrouped} in other groups\n` +
    `missing ${missing.length}, doubled ${doubled.length}, surplus ${surplus.length}\n` +
    `findings: ${findings.expected} expected, ${findings.stored} stored, ${findings.distinct} different\n` +
    `${of.hadDisk ? '' : 'no faults of the disk: this process may not mount one\n'}`
  );
}

function toldStops(of: LargeStateReport): string {
  const { groups, spans, findings, log } = of;
  if (!isInOrder(of)) process.stderr.write(log);
  const ends = of.stops.map(({ code, ms }) => `${ms} ms with code ${code}`);
  return (
    `${groups} groups, stops: ${ends.join(', ')}; ${of.replayed} pieces replayed\n` +
    `${spans.acknowledged} spans acknowledged, ${spans.stored} stored, ${spans.distinct} different\n` +
    `findings: ${findings.expected} expected, ${findings.missing.length} missing, ${findings.surplus.length} surplus, ${findings.rows - findings.distinctRows} twice\n`
  );
}

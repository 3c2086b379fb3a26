// `npm run test:chaos -- [--minutes <n>] [--seed <n>] [--json]`: the whole way under faults. Exit code 1 when something was lost
// or is there twice. Loopback only; ends by itself.
import process from 'node:process';
import { parseArgs } from 'node:util';
import { isClean, runChaos } from './chaos.ts';

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
const clean = isClean(report);
if (values.json) process.stdout.write(`${JSON.stringify({ clean, ...report })}\n`);
else {
  const { missing, doubled, surplus, findings, log } = report;
  if (!clean) process.stderr.write(log);
  const faults = Object.entries(report.faults).map(([name, n]) => `${n} × ${name}`);
  process.stdout.write(
    `${faults.join(', ')}\n` +
      `${report.requests} requests, ${report.acknowledged} spans acknowledged, ${report.stored} stored, ${report.resent} batches resent, ${report.regrouped} in other groups\n` +
      `missing ${missing.length}, doubled ${doubled.length}, surplus ${surplus.length}\n` +
      `findings: ${findings.expected} expected, ${findings.stored} stored, ${findings.distinct} different\n` +
      `${report.hadDisk ? '' : 'no faults of the disk: this process may not mount one\n'}${clean ? 'clean' : 'NOT CLEAN'}\n`,
  );
}
process.exitCode = clean ? 0 : 1;

import { type Measured, ranges } from './measure.ts';
import type { ViewCosts } from './views.ts';

/** A table in Markdown: a line for each dashboard and range, runs after the first but for one column. */
export function summary(measured: readonly Measured[]): string {
  const lines = [
    '| dashboard | range | queries | p50 ms | p95 ms | max ms | first p95 ms | rows read, most | MB read, most |',
    '|---|---|---|---|---|---|---|---|---|',
  ];
  for (const board of new Set(measured.map(({ query }) => boardOf(query.name)))) {
    for (const range of Object.keys(ranges)) {
      const all = measured.filter((each) => boardOf(each.query.name) === board && each.range === range);
      if (all.length === 0) continue;
      const warm = all.flatMap(({ warmMs }) => warmMs);
      const cold = all.map(({ coldMs }) => coldMs);
      const rows = Math.max(...all.map(({ rowsRead }) => rowsRead));
      const bytes = Math.max(...all.map(({ bytesRead }) => bytesRead));
      const times = [quantile(warm, 0.5), quantile(warm, 0.95), Math.max(...warm), quantile(cold, 0.95)].map((ms) =>
        ms.toFixed(0),
      );
      lines.push(
        `| ${[board, range, all.length, ...times, rows.toLocaleString('en'), (bytes / 1e6).toFixed(1)].join(' | ')} |`,
      );
    }
  }
  return lines.join('\n');
}

/** The slowest queries, by the median of their later runs. */
export function slowest(measured: readonly Measured[], count: number): string {
  const lines = [...measured]
    .sort((a, b) => quantile(b.warmMs, 0.5) - quantile(a.warmMs, 0.5))
    .slice(0, count)
    .map(({ query, range, variables, warmMs, coldMs, rowsRead, bytesRead }) => {
      const ms = [...warmMs.map((each) => each.toFixed(0))].join(', ');
      const read = `${rowsRead.toLocaleString('en')} rows, ${(bytesRead / 1e6).toFixed(1)} MB`;
      return `- ${query.name}, ${range}, ${variables}: ${ms} ms, first ${coldMs.toFixed(0)}; ${read}`;
    });
  return lines.join('\n');
}

/** The uid in front of the name of a query. */
function boardOf(query: string): string {
  return query.split(':', 1)[0]!;
}

function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(sorted.length * share) - 1)] ?? 0;
}

/** What the views cost: medians over the rounds, and against inserts without any. */
export function viewTable({ inserts, tables }: ViewCosts): string {
  const names = [...new Set(inserts.map(({ views }) => views.join(' + ')))];
  const median = (name: string, key: 'ms' | 'cpuMs') =>
    quantile(
      inserts.filter(({ views }) => views.join(' + ') === name).map((each) => each[key]),
      0.5,
    );
  const lines = names.map((name) => {
    const share = (key: 'ms' | 'cpuMs') => (median(name, key) / median('', key)).toFixed(2);
    const figures = [median(name, 'ms').toFixed(0), share('ms'), median(name, 'cpuMs').toFixed(0), share('cpuMs')];
    return `| ${[name === '' ? 'none' : name, ...figures].join(' | ')} |`;
  });
  const stored = tables.map(
    ({ table, rows, bytes }) =>
      `| ${table} | ${Number(rows).toLocaleString('en')} | ${(Number(bytes) / 1e6).toFixed(1)} |`,
  );
  return [
    '| views | ms | of none | CPU ms | of none |',
    '|---|---|---|---|---|',
    ...lines,
    '',
    '| table | rows | MB on disk |',
    '|---|---|---|',
    ...stored,
  ].join('\n');
}

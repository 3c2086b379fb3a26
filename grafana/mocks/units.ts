/**
 * A number in one of Grafana's units; a unit that is not known here follows the number, as it does in Grafana. A test
 * compares it with Grafana's own package.
 */
export function formatNumber(value: number, unit = 'none', decimals?: number | null): string {
  const scale = scales[unit];
  if (scale !== undefined) return scaledNumber(value, scale, decimals);
  const [, kind = '', text = ''] = /^(prefix|suffix|currency):(.*)$/.exec(unit) ?? [];
  if (kind !== '') return kind === 'suffix' ? `${plain(value, decimals)}${text}` : `${text}${plain(value, decimals)}`;
  switch (unit) {
    case 'none':
    case 'string':
      return plain(value, decimals);
    case 'locale':
      return value.toLocaleString('en', { maximumFractionDigits: decimals ?? 3 });
    case 'percent':
      return `${plain(value, decimals)}%`;
    case 'percentunit':
      return `${plain(value * 100, decimals)}%`;
    case 'currencyUSD':
      return `$${scaledNumber(value, currency, decimals)}`;
    case 'currencyEUR':
      return `€${scaledNumber(value, currency, decimals)}`;
    case 'bool_yes_no':
      return value === 0 ? 'No' : 'Yes';
    case 'bool':
      return value === 0 ? 'False' : 'True';
    default:
      return `${plain(value, decimals)} ${unit}`;
  }
}

/** A moment in one of Grafana's units of time; `nowMs` is what "ago" counts from. */
export function formatTime(ms: number, unit: string | undefined, nowMs: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return 'Invalid date';
  if (unit === 'dateTimeFromNow') return ago(nowMs - ms);
  return date.toISOString().slice(0, 19).replace('T', ' ');
}

type Scale = readonly (readonly [factor: number, unit: string])[];

const second = 1e9;
const times: Scale = [
  [1, ' ns'],
  [1e3, ' µs'],
  [1e6, ' ms'],
  [second, ' s'],
  [60 * second, ' min'],
  [3_600 * second, ' hour'],
  [86_400 * second, ' day'],
];
const currency = powers(1_000, ['', 'K', 'M', 'B', 'T']);
const timesFrom = (factor: number): Scale => times.map(([each, unit]) => [each / factor, unit]);

const scales: Readonly<Record<string, Scale>> = {
  short: powers(1_000, ['', ' K', ' Mil', ' Bil', ' Tri']),
  bytes: powers(1_024, [' B', ' KiB', ' MiB', ' GiB', ' TiB']),
  decbytes: powers(1_000, [' B', ' kB', ' MB', ' GB', ' TB']),
  Bps: powers(1_000, [' B/s', ' kB/s', ' MB/s', ' GB/s']),
  binBps: powers(1_024, [' B/s', ' KiB/s', ' MiB/s', ' GiB/s']),
  cps: powers(1_000, [' c/s', 'K c/s', 'M c/s']),
  ops: powers(1_000, [' ops/s', 'K ops/s', 'M ops/s']),
  reqps: powers(1_000, [' req/s', 'K req/s', 'M req/s']),
  ns: timesFrom(1),
  µs: timesFrom(1e3),
  ms: timesFrom(1e6),
  s: timesFrom(second),
  m: timesFrom(60 * second),
  h: timesFrom(3_600 * second),
  d: timesFrom(86_400 * second),
};

function powers(base: number, units: readonly string[]): Scale {
  return units.map((unit, index) => [base ** index, unit]);
}

function scaledNumber(value: number, scale: Scale, decimals?: number | null): string {
  const size = Math.abs(value);
  const [factor, unit] = scale.findLast(([each]) => size >= each) ?? scale[0] ?? [1, ''];
  const text = plain(value / factor, decimals);
  return `${text}${unit}${/ (min|hour|day)$/.test(unit) && text !== '1' ? 's' : ''}`;
}

/** As many digits as make three that count, unless it is a whole number or the panel says how many. */
function plain(value: number, decimals?: number | null): string {
  if (typeof decimals === 'number') return value.toFixed(decimals);
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(Math.min(20, Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))))));
}

function ago(ms: number): string {
  const size = Math.abs(ms);
  const steps: readonly (readonly [number, string])[] = [
    [86_400_000, 'day'],
    [3_600_000, 'hour'],
    [60_000, 'minute'],
  ];
  const [factor, name] = steps.find(([each]) => size >= each) ?? [1_000, 'second'];
  const count = Math.round(size / factor);
  const text = `${count} ${name}${count === 1 ? '' : 's'}`;
  return ms >= 0 ? `${text} ago` : `in ${text}`;
}

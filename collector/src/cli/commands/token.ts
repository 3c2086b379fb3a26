import { mkdirSync } from 'node:fs';
import { Command, InvalidArgumentError } from 'commander';
import { loadConfig } from '../../config/load.ts';
import { SpanwardenError } from '../../model/errors.ts';
import { limits } from '../../model/limits.ts';
import {
  changeTokenFile,
  hashOfToken,
  mintToken,
  readTokenFile,
  type StoredToken,
  tokenFileOf,
  tokenNameSchema,
} from '../../receive/token-file.ts';
import { createTerminal, jsonLine } from '../terminal.ts';

interface Options {
  readonly config?: string;
  readonly json?: true;
  readonly name: string;
  readonly tenant?: string;
  readonly requestsPerSecond?: number;
  readonly expires?: number;
}

/** `spanwarden token`: who may send. A running collector takes up what changes. */
export function tokenCommand(): Command {
  return new Command('token')
    .description('make, list and revoke the tokens of senders; a running collector takes up the change by itself')
    .addCommand(
      new Command('create')
        .description('make a token and print it, this once: only its hash is kept')
        .requiredOption('--name <name>', 'what it is called in metrics and logs', parseName)
        .option('--tenant <name>', 'whom it belongs to, beside the name in metrics and logs', parseName)
        .option('--requests-per-second <number>', 'more are answered with 429; without it there is no limit', parseRate)
        .option(
          '--expires <duration>',
          'for how long it is taken, for example 12h or 90d; without it for ever',
          parseDuration,
        )
        .option('--json', 'print one JSON object')
        .action((_, command: Command) => create(command.optsWithGlobals<Options>())),
    )
    .addCommand(
      new Command('list')
        .description('the tokens by name; what they are is not kept')
        .option('--json', 'print JSON')
        .action((_, command: Command) => list(command.optsWithGlobals<Options>())),
    )
    .addCommand(
      new Command('revoke')
        .description('take a token no more')
        .argument('<name>', 'its name', parseName)
        .option('--json', 'print one JSON object')
        .action((name: string, _, command: Command) => revoke(name, command.optsWithGlobals<Options>())),
    );
}

function create(options: Options): void {
  const { file, dataDir, isDefault } = placeOf(options);
  const { name, tenant, requestsPerSecond, expires, json } = options;
  const token = mintToken();
  const now = Date.now();
  const stored: StoredToken = {
    name,
    sha256: hashOfToken(token).toString('hex'),
    ...(tenant !== undefined && { tenant }),
    ...(requestsPerSecond !== undefined && { requests_per_second: requestsPerSecond }),
    created: new Date(now).toISOString(),
    ...(expires !== undefined && { expires: new Date(now + expires).toISOString() }),
  };
  if (isDefault) mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const isFirst = readTokenFile(file) === undefined;
  changeTokenFile(file, (tokens) => {
    if (tokens.some((other) => other.name === name)) {
      throw problem(`there is a token ${name} already`, `Revoke it first, or take another name such as ${name}-2.`);
    }
    if (tokens.length >= limits.tokensMax) throw problem(`there are ${tokens.length} tokens`, 'Revoke old ones first.');
    return [...tokens, stored];
  });
  const terminal = createTerminal(process.stdout);
  if (json) {
    const { sha256, ...told } = stored;
    terminal.write(jsonLine({ ...told, token, file }));
    return;
  }
  terminal.writeLine(token);
  const words = createTerminal(process.stderr);
  words.writeLine('Keep it now, it is not shown again. Senders give it as `Authorization: Bearer <token>`.');
  if (isFirst) words.writeLine(`${file} is new: from now on nobody sends without a token.`);
}

function list(options: Options): void {
  const { file } = placeOf(options);
  const tokens = (readTokenFile(file) ?? []).map(({ sha256, ...told }) => ({
    ...told,
    expired: told.expires !== undefined && Date.parse(told.expires) <= Date.now(),
  }));
  const terminal = createTerminal(process.stdout);
  if (options.json) {
    terminal.write(jsonLine(tokens));
    return;
  }
  if (tokens.length === 0) {
    terminal.writeLine(`No tokens in ${file}.`);
    return;
  }
  const rows = tokens.map(({ name, tenant, requests_per_second: rate, created, expires, expired }) => [
    name,
    tenant ?? '–',
    rate === undefined ? 'any' : `${rate}/s`,
    created.slice(0, 10),
    expires === undefined ? 'never' : expired ? terminal.red(`expired ${expires.slice(0, 10)}`) : expires.slice(0, 16),
  ]);
  const head = ['name', 'tenant', 'rate', 'created', 'expires'].map((text) => terminal.dim(text));
  terminal.write(terminal.table([head, ...rows]));
}

function revoke(name: string, options: Options): void {
  const { file } = placeOf(options);
  if (readTokenFile(file) === undefined) throw problem(`there is no token file ${file}`, 'Is --config the right one?');
  changeTokenFile(file, (tokens) => {
    const left = tokens.filter((token) => token.name !== name);
    if (left.length === tokens.length) throw problem(`there is no token ${name}`, 'See: spanwarden token list');
    return left;
  });
  const terminal = createTerminal(process.stdout);
  if (options.json) terminal.write(jsonLine({ revoked: name, file }));
  else terminal.writeLine(`${name} is revoked. A running collector refuses it within two seconds.`);
}

function placeOf({ config: named }: Options) {
  const config = loadConfig({ file: named, env: process.env });
  const { tokens_file: file } = config.receive;
  return { file: tokenFileOf(config.data_dir, file), dataDir: config.data_dir, isDefault: file === undefined };
}

function problem(message: string, advice: string): SpanwardenError {
  return new SpanwardenError({ code: 'SW_TOKEN_FILE', message, advice });
}

function parseName(text: string): string {
  const checked = tokenNameSchema.safeParse(text);
  if (!checked.success) throw new InvalidArgumentError(`${checked.error.issues[0]!.message}.`);
  return text;
}

function parseRate(text: string): number {
  const rate = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
  if (rate > 0 && rate <= limits.tokenRequestsPerSecondMax) return rate;
  throw new InvalidArgumentError(`Write a number above 0, at most ${limits.tokenRequestsPerSecondMax}.`);
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds. */
function parseDuration(text: string): number {
  const [, number, unit] = /^([1-9]\d{0,5})([mhd])$/.exec(text) ?? [];
  if (number === undefined) throw new InvalidArgumentError('Write a number with m, h or d, for example 90d.');
  return Number(number) * unitMs[unit!]!;
}

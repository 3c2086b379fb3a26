import { Command, InvalidArgumentError } from 'commander';
import type { Result } from '../../otlp-check/check.ts';
import { checkEndpoint, type Endpoint, NoAnswer } from '../../otlp-check/run.ts';
import { CommandExit, exitCodes } from '../exit.ts';
import { createTerminal, escapeControl, jsonLine, type Terminal } from '../terminal.ts';

interface Options {
  readonly header?: Readonly<Record<string, string>>;
  readonly json?: true;
}

/** `spanwarden otlp`: what concerns OTLP itself. */
export function otlpCommand(): Command {
  return new Command('otlp').description('look at OTLP endpoints').addCommand(checkCommand());
}

/** `spanwarden otlp check <urls…>`: ends with 1 when something failed, with 3 when nobody answers. */
function checkCommand(): Command {
  return new Command('check')
    .description('ask any OTLP endpoint whether it does what the specification wants; it gets a few test records')
    .argument('<urls...>', 'http://host:4318 or https://…; grpc://host:4317 or grpcs://…', addUrl)
    .option('--header <name=value>', 'sent with every request; may be given several times', addHeader)
    .option('--json', 'print one JSON object')
    .action(async (urls: Endpoint[], _, command: Command) => check(urls, command.optsWithGlobals<Options>()));
}

async function check(endpoints: readonly Endpoint[], { header = {}, json }: Options): Promise<void> {
  const terminal = createTerminal(process.stdout);
  const results: Result[] = [];
  for (const endpoint of endpoints) {
    if (!json) terminal.writeLine(terminal.bold(`${endpoint.url} (${endpoint.transport})`));
    try {
      const seen = await checkEndpoint(endpoint, header);
      results.push(...seen);
      if (!json)
        terminal.write(
          terminal.table(
            seen.map((result) => row(result, terminal)),
            { indent: '  ' },
          ),
        );
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      createTerminal(process.stderr).writeLine(`nobody answers at ${endpoint.url}: ${escapeControl(error.message)}`);
      throw new CommandExit(exitCodes.unreachable);
    }
  }
  const count = (wanted: Result['result']) => results.filter(({ result }) => result === wanted).length;
  const counts = { passed: count('pass'), failed: count('fail'), notApplicable: count('not applicable') };
  if (json) terminal.write(jsonLine({ ...counts, results }));
  else {
    const { passed, failed, notApplicable } = counts;
    terminal.writeLine(`${passed} passed, ${failed} failed, ${notApplicable} not applicable`);
  }
  if (counts.failed > 0) throw new CommandExit(exitCodes.failure);
}

function row({ result, level, section, title, seen }: Result, terminal: Terminal): string[] {
  const mark = { pass: terminal.green('pass'), fail: terminal.red('fail'), 'not applicable': terminal.dim('n/a') };
  const text = escapeControl(seen);
  return [mark[result], level, section, title, text.length > seenCharsMax ? `${text.slice(0, seenCharsMax)}…` : text];
}

const seenCharsMax = 160;

function addUrl(text: string, before: readonly Endpoint[] = []): readonly Endpoint[] {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const scheme = url?.protocol ?? '';
  if (!['http:', 'https:', 'grpc:', 'grpcs:'].includes(scheme) || !url?.host) {
    throw new InvalidArgumentError('Write http://host:4318 or grpc://host:4317, or https:// and grpcs://.');
  }
  const isGrpc = scheme.startsWith('grpc') || url.port === '4317';
  return [...before, { transport: isGrpc ? 'grpc' : 'http', url: text.replace(/^grpc/, 'http') }];
}

function addHeader(text: string, before: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> {
  const [, name, value] = /^([\w-]{1,256})=(.{0,8192})$/.exec(text) ?? [];
  if (name === undefined || value === undefined) {
    throw new InvalidArgumentError('Write name=value, for example authorization="Bearer …".');
  }
  return { ...before, [name.toLowerCase()]: value };
}

import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { Command, Option } from 'commander';
import { SpanwardenError } from '../../model/errors.ts';
import { type Level, levels } from '../../model/severity.ts';
import { Category, type CategoryName } from '../../model/span-events.ts';
import { scaffoldRule } from '../rule-scaffold.ts';
import { createTerminal, escapeControl, jsonLine } from '../terminal.ts';

interface Options {
  readonly dir: string;
  readonly title?: string;
  readonly category?: CategoryName | 'any';
  readonly field?: string;
  readonly value?: string;
  readonly level: Level;
  readonly tag?: string;
  readonly example?: string;
  readonly json?: true;
}

const categories: readonly string[] = [...Object.keys(Category), 'any'];

/** The OWASP entry that the threats of the shipped rules mostly are. */
const tags: Readonly<Record<string, string>> = {
  'prompt-injection': 'owasp.llm01',
  consumption: 'owasp.llm10',
  'credential-access': 'owasp.asi03',
  execution: 'owasp.asi05',
  exfiltration: 'owasp.llm02',
  flow: 'owasp.asi01',
  memory: 'owasp.asi06',
  privilege: 'owasp.asi03',
  'supply-chain': 'owasp.asi04',
};

/**
 * `spanwarden rules new <threat>/<name>`: writes a rule and its test, which lint clean and pass. What no option says is asked
 * for. Ends with 2, and nothing written, when a file is there already or no rule can be made of the answers.
 */
export function rulesNewCommand(): Command {
  return new Command('new')
    .description('write a rule and its test to start from')
    .argument('<threat/name>', 'for example exfiltration/large-refund')
    .option('--dir <folder>', 'the folder with your rules', 'rules')
    .option('--title <text>', 'what the rule finds, in a few words')
    .addOption(new Option('--category <category>', 'which spans it reads').choices(categories))
    .option('--field <field>', 'the field it looks at, with modifiers: spanwarden.argument.amount|gt')
    .option('--value <value>', 'the value it looks for')
    .addOption(new Option('--level <level>', 'what a match is worth').choices(levels).default('medium'))
    .option('--tag <tag>', 'for example owasp.asi02; follows from well-known threats')
    .option('--example <value>', 'a value that it must match, for regexes and wildcards')
    .option('--json', 'print one JSON object')
    .action((place: string, options: Options) => create(place, options));
}

async function create(place: string, options: Options): Promise<void> {
  const [, threat, name] = /^([a-z0-9][a-z0-9-]{0,63})\/([a-z0-9][a-z0-9-]{0,63})$/.exec(place) ?? [];
  if (threat === undefined || name === undefined) {
    throw refused(`\`${place}\` is no place for a rule`, 'Write threat/name in lower case: exfiltration/large-refund.');
  }
  const files = ['.yml', '.test.yml'].map((ending) => join(options.dir, threat, name + ending));
  for (const file of files) if (existsSync(file)) throw refused(`${file} is already there`, 'Choose another name.');
  const answers = await ask(threat, options);
  const { rule, test } = scaffoldRule({ ...options, ...answers, name, example: options.example }, new Date());
  write([
    [files[0]!, rule],
    [files[1]!, test],
  ]);
  const terminal = createTerminal(process.stdout);
  if (options.json) terminal.write(jsonLine({ rule: files[0], test: files[1] }, 2));
  else for (const file of files) terminal.writeLine(`wrote ${escapeControl(file)}`);
}

interface Answers {
  readonly title: string;
  readonly category: CategoryName | 'any';
  readonly field: string;
  readonly value: string;
  readonly tag: string;
}

/** Takes what options say and asks for the rest: on stderr, a line of stdin for each answer. */
async function ask(threat: string, options: Options): Promise<Answers> {
  const lines = createInterface({ input: process.stdin, terminal: false });
  const answers = lines[Symbol.asyncIterator]();
  const answer = async (option: keyof Answers, question: string): Promise<string> => {
    const given = options[option];
    if (given !== undefined) return given;
    process.stderr.write(`${question}: `);
    const { value, done } = await answers.next();
    const text = done ? '' : String(value).trim();
    if (text !== '') return text;
    throw refused(`the rule needs a ${option}`, `Answer the question, or write --${option} <${option}>.`);
  };
  try {
    const title = await answer('title', 'What does the rule find, in a few words');
    const category = await answer('category', `Which spans (${categories.join(', ')})`);
    if (!categories.includes(category))
      throw refused(`unknown category ${category}`, `Write ${categories.join(', ')}.`);
    const field = await answer('field', 'Which field (docs/taxonomy.md lists them; modifiers as in field|contains)');
    const value = await answer('value', 'Which value');
    const tag =
      tags[threat] && options.tag === undefined
        ? tags[threat]
        : await answer('tag', 'Which tag, for example owasp.asi02');
    return { title, category: category as Answers['category'], field, value, tag };
  } finally {
    lines.close();
  }
}

/** Both files or none; `wx` keeps what somebody else has written meanwhile. */
function write(files: readonly (readonly [path: string, text: string])[]): void {
  const written: string[] = [];
  try {
    for (const [path, text] of files) {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text, { flag: 'wx' });
      written.push(path);
    }
  } catch (error) {
    for (const path of written) rmSync(path);
    throw refused(`the rule cannot be written: ${(error as Error).message}`, 'Name a folder with --dir.');
  }
}

function refused(message: string, advice: string): SpanwardenError {
  return new SpanwardenError({ code: 'SW_RULE_FILE', message, advice });
}

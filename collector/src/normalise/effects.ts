import type { Value } from '../model/value.ts';
import { hostClass, isOddAddress } from './addresses.ts';
import { KeyTrait } from './argument-keys.ts';
import { type CommandEffects, commandEffects } from './command-effects.ts';
import {
  commandsOf,
  type EffectKind,
  effectKinds,
  isPowerShell,
  isShell,
  kindsOf,
  methodOf,
  nameWords,
  outgoingKinds,
  sinkKinds,
} from './effect-kinds.ts';
import { isMap, textsIn } from './json-value.ts';
import { accountsOf, amountsOf, moneyOf } from './money.ts';
import {
  bareHost,
  findEmails,
  findUrls,
  isExternalHost,
  isIp,
  looseHosts,
  registrableDomain,
  urlHost,
} from './network.ts';
import { pathsIn, pathWords } from './paths.ts';
import { type Scalars, Sign, scalarsOf, signsIn } from './scalars.ts';
import { parseCommand, type Segment, segmentText } from './shell.ts';
import { isInjection, looksLikeSql, type SqlFacts, sqlFacts } from './sql.ts';
import { carriesData } from './tunnel.ts';

export { type EffectKind, effectKinds, isShell, nameWords, outgoingKinds, sinkKinds };

/** What else a span says about what it does: attributes of database and HTTP spans. */
export interface SpanEffects {
  readonly query?: string;
  readonly method?: string;
  readonly bodyBytes?: number;
}

type Texts = readonly string[];

interface Kept {
  kinds?: readonly EffectKind[];
  scalars?: Scalars;
  signs?: number;
  keys?: number;
  texts?: Texts;
  urls?: Texts;
  hosts?: Texts;
  written?: Texts;
  shell?: { readonly segments: readonly Segment[]; readonly features: Texts };
  programs?: CommandEffects;
  sql?: SqlFacts;
}

const itemsMax = 256;

/**
 * What a tool call touches, found in its name and arguments. Every list is bounded and without duplicates, and worked out when
 * first asked for.
 */
export class Effects {
  readonly tool: string;
  readonly args: Value;
  readonly commands: Texts;
  readonly httpMethod: string | undefined;
  readonly #span: SpanEffects;
  readonly #kept: Kept = {};

  constructor(tool: string, args: Value, span: SpanEffects = {}) {
    this.tool = tool;
    this.args = args;
    this.#span = span;
    this.commands = commandsOf(tool, args);
    this.httpMethod = methodOf(args) ?? span.method?.toUpperCase();
  }

  get kinds(): readonly EffectKind[] {
    this.#kept.kinds ??= kindsOf(this.tool, methodOf(this.args), this.commands);
    return this.#kept.kinds;
  }

  get urls(): Texts {
    this.#kept.urls ??= this.#has(urlSigns) ? unique(this.#texts.flatMap((text) => findUrls(text))) : none;
    return this.#kept.urls;
  }

  /** Calls that touch nothing, as most do, are told by the characters and names that their arguments lack. */
  get #namesNoHost(): boolean {
    return this.commands.length === 0 && !this.#has(urlSigns) && !this.#isNamed(KeyTrait.host);
  }

  /** Whether all of these signs stand in the arguments. */
  #has(signs: number): boolean {
    this.#kept.signs ??= signsIn(this.#scalars);
    return (this.#kept.signs & signs) === signs;
  }

  /** Whether any argument has such a name. */
  #isNamed(trait: number): boolean {
    this.#kept.keys ??= this.#scalars.reduce((all, [, , keys]) => all | keys, 0);
    return (this.#kept.keys & trait) !== 0;
  }

  get hosts(): Texts {
    if (this.#namesNoHost) return none;
    if (this.#kept.hosts === undefined) {
      const named = namedHosts(this.#scalars);
      const commands = this.#programs;
      const loose = locatorHosts(this.#scalars);
      const hosts = [...this.urls.map(urlHost), ...named.map(bareHost), ...loose, ...commands.hosts];
      this.#kept.hosts = unique(hosts.filter((host) => host !== undefined));
      this.#kept.written = [...this.urls.map(writtenHost), ...named, ...commands.writtenHosts];
    }
    return this.#kept.hosts;
  }

  get domains(): Texts {
    if (this.#namesNoHost) return none;
    return unique(this.hosts.map(registrableDomain));
  }

  get externalDomains(): Texts {
    if (this.#namesNoHost) return none;
    return unique(this.hosts.filter(isExternalHost).map(registrableDomain));
  }

  get ips(): Texts {
    if (this.#namesNoHost) return none;
    return this.hosts.filter(isIp);
  }

  /** Classes of all hosts. */
  get hostClasses(): Texts {
    if (this.#namesNoHost) return none;
    return unique(this.hosts.map(hostClass));
  }

  /** Addresses as they were written, where that hides which address is meant. */
  get oddAddresses(): Texts {
    if (this.hosts.length === 0) return [];
    return unique(
      this.#kept.written!.filter((written) => {
        const host = bareHost(written) ?? urlHost(`http://${written.includes(':') ? `[${written}]` : written}`);
        return host !== undefined && isIp(host) && isOddAddress(written, host);
      }),
    );
  }

  get tunnelHosts(): Texts {
    if (this.#namesNoHost) return none;
    return unique([...this.hosts.filter(carriesData), ...this.#programs.tunnelHosts]);
  }

  get emails(): Texts {
    if (!this.#has(Sign.at)) return none;
    return unique(this.#texts.flatMap((text) => findEmails(text)));
  }

  get paths(): Texts {
    if (this.commands.length === 0 && !this.#has(Sign.separator) && !this.#isNamed(KeyTrait.path)) return none;
    return unique([...pathsIn(this.#scalars), ...this.commands.flatMap(pathWords), ...this.#programs.paths]);
  }

  get programs(): Texts {
    if (this.commands.length === 0) return none;
    return unique(this.#programs.programs);
  }

  get segments(): Texts {
    if (this.commands.length === 0) return none;
    return [...new Set(this.#shell.segments.map(segmentText))];
  }

  get shellFeatures(): Texts {
    return this.#shell.features;
  }

  get sql(): SqlFacts {
    this.#kept.sql ??= this.#readSql();
    return this.#kept.sql;
  }

  get bodyBytes(): number | undefined {
    const known = this.#span.bodyBytes;
    if (known !== undefined) return known;
    const sends = this.kinds.some((kind) => outgoingKinds.has(kind));
    const bytes = this.#programs.bodyBytes + (sends && isMap(this.args) ? bodyBytesOf(this.args) : 0);
    return bytes === 0 ? undefined : bytes;
  }

  get amounts(): Texts {
    if (!this.#isNamed(KeyTrait.amount)) return none;
    return amountsOf(this.#scalars);
  }

  get money(): Texts {
    if (!this.#isNamed(KeyTrait.amount) && !this.#has(Sign.currency) && !this.#has(Sign.capitals)) return none;
    return moneyOf(this.args, this.commands.length > 0 ? [] : this.#texts);
  }

  get accounts(): Texts {
    if (!this.#has(Sign.digit)) return none;
    return accountsOf(this.#scalars);
  }

  get #scalars(): Scalars {
    this.#kept.scalars ??= scalarsOf(this.args);
    return this.#kept.scalars;
  }

  get #texts(): Texts {
    this.#kept.texts ??= this.#scalars.flatMap(([scalar]) => (typeof scalar === 'string' ? [scalar] : []));
    return this.#kept.texts;
  }

  get #shell(): NonNullable<Kept['shell']> {
    this.#kept.shell ??= shellOf(this.commands, isPowerShell(this.tool));
    return this.#kept.shell;
  }

  get #programs(): CommandEffects {
    this.#kept.programs ??= this.commands.length === 0 ? noPrograms : commandEffects(this.#shell.segments);
    return this.#kept.programs;
  }

  #readSql(): SqlFacts {
    const statements = [...sqlArguments(this.tool, this.#scalars), ...this.#programs.sql];
    if (this.#span.query !== undefined && this.#span.query !== '') statements.push(this.#span.query);
    const found = unique(statements).map(sqlFacts);
    const injected =
      this.commands.length === 0 &&
      this.#has(Sign.quote) &&
      this.#texts.some((text) => !statements.includes(text) && isInjection(text));
    if (found.length === 0 && !injected) return noSql;
    return {
      kinds: unique(found.flatMap(({ kinds }) => kinds)),
      tables: unique(found.flatMap(({ tables }) => tables)),
      marks: [...new Set([...found.flatMap(({ marks }) => marks), ...(injected ? (['injection'] as const) : [])])],
    };
  }
}

const none: Texts = [];
const urlSigns = Sign.colon | Sign.separator;
const noSql: SqlFacts = { kinds: [], tables: [], marks: [] };
const noPrograms: CommandEffects = commandEffects([]);

function shellOf(commands: Texts, inPowerShell: boolean): NonNullable<Kept['shell']> {
  if (commands.length === 0) return { segments: [], features: [] };
  const parsed = commands.map((command) => parseCommand(command, inPowerShell));
  return {
    segments: parsed.flatMap(({ segments }) => segments).slice(0, 4096),
    features: unique(parsed.flatMap(({ features }) => features)),
  };
}

/** Hosts that stand bare, in arguments whose name says that a host or an address is meant. */
function namedHosts(scalars: Scalars): string[] {
  const hosts: string[] = [];
  for (const [scalar, , keys] of scalars) {
    if (typeof scalar === 'string' && (keys & KeyTrait.host) !== 0 && !scalar.includes('@') && !scalar.includes('://'))
      hosts.push(scalar.trim());
  }
  return hosts;
}

/** Hosts of URLs that are not written as one, in arguments whose name says that one is meant. */
function locatorHosts(scalars: Scalars): string[] {
  const hosts: string[] = [];
  for (const [scalar, , keys] of scalars) {
    if (typeof scalar === 'string' && (keys & KeyTrait.host) !== 0 && /[\\/?#]|^\s*[a-z]+:/i.test(scalar))
      hosts.push(...looseHosts(scalar));
  }
  return hosts;
}

function writtenHost(url: string): string {
  return /^\w+:\/\/(?:[^@/]*@)?(\[[^\]]*\]|[^/:?#]*)/.exec(url)?.[1]?.replace(/^\[|\]$/g, '') ?? '';
}

/** SQL in arguments: under a name that means it, or anything that looks like a statement. */
function sqlArguments(tool: string, scalars: Scalars): string[] {
  const isDatabase = nameWords(tool).some((word) => databaseWords.has(word));
  const found: string[] = [];
  for (const [scalar, path, keys] of scalars) {
    if (typeof scalar !== 'string' || scalar.length < 5) continue;
    const isQuery = (keys & KeyTrait.query) !== 0;
    const isNamed = (keys & KeyTrait.sql) !== 0 || (isDatabase && (path === '' || isQuery));
    if (isNamed || (isQuery && looksLikeSql(scalar)) || (path === '' && looksLikeSql(scalar))) found.push(scalar);
  }
  return found;
}

const databaseWords = new Set(
  'sql postgres postgresql mysql mariadb sqlite mssql oracle bigquery snowflake clickhouse redshift athena duckdb'.split(
    ' ',
  ),
);

/** UTF-8 bytes of the arguments that are sent. */
function bodyBytesOf(args: Readonly<Record<string, Value>>): number {
  let bytes = 0;
  for (const key of Object.keys(args)) {
    if (!bodyKey.test(key)) continue;
    for (const text of textsIn(args[key])) bytes += Buffer.byteLength(text);
  }
  return bytes;
}

const bodyKey =
  /^(?:body|data|payload|json|content|contents|form|message|text|html|markdown|attachments?|files?|params|fields|record|records)$/i;

function unique<T>(items: readonly T[]): readonly T[] {
  if (items.length < 2) return items;
  return [...new Set(items)].slice(0, itemsMax);
}

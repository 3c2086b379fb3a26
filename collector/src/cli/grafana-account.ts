/** An account for Grafana, which may read one database and nothing else. */
export interface ReaderAccount {
  readonly user: string;
  readonly database: string;
  readonly passwordSha256Hex: string;
  /** Where statements run on every server of a cluster. */
  readonly cluster?: string | undefined;
  /** Whether tables are spread over shards, so that views which join two of them go to each. */
  readonly isSharded?: boolean;
}

interface ReaderSetting {
  readonly name: string;
  readonly value?: number | string;
  /** A reader may change it for a query, between these where they are given. Grafana sends a time-out and ad hoc filters with queries. */
  readonly changeable?: { readonly min?: number; readonly max?: number };
}

/** The name of its settings profile and of its quota. */
const limited = 'spanwarden_reader';

/** What holds for queries of the account. */
function readerSettings({ isSharded }: Pick<ReaderAccount, 'isSharded'>): readonly ReaderSetting[] {
  return [
    { name: 'readonly', value: 1 },
    { name: 'allow_ddl', value: 0 },
    { name: 'allow_introspection_functions', value: 0 },
    { name: 'max_execution_time', value: 60, changeable: { min: 1, max: 300 } },
    { name: 'additional_table_filters', changeable: {} },
    { name: 'limit', changeable: {} },
    { name: 'max_memory_usage', value: 2 ** 31 },
    { name: 'max_memory_usage_for_user', value: 2 ** 32 },
    { name: 'max_concurrent_queries_for_user', value: 16 },
    { name: 'max_result_rows', value: 1_000_000 },
    { name: 'max_result_bytes', value: 2 ** 28 },
    { name: 'result_overflow_mode', value: 'throw' },
    ...(isSharded ? [{ name: 'distributed_product_mode', value: 'global' }] : []),
  ];
}

/** Within an hour: a board with 15 panels that is read each minute asks 900 times, the alert rules as often. */
export const readerLimits = { queries: 50_000, execution_time: 14_400 } as const;

/** The statements that make it, one after the other. They may run again, and make it anew then. */
export function accountStatements(account: ReaderAccount): string[] {
  const { user, database, passwordSha256Hex, cluster } = account;
  const on = cluster === undefined ? '' : ` ON CLUSTER ${name(cluster)}`;
  const settings = readerSettings(account).map(settingSql).join(',\n  ');
  const maxima = Object.entries(readerLimits).map(([what, most]) => `${what} = ${most}`);
  return [
    `CREATE SETTINGS PROFILE OR REPLACE ${limited}${on} SETTINGS\n  ${settings}`,
    `CREATE USER OR REPLACE ${name(user)}${on} IDENTIFIED WITH sha256_hash BY '${passwordSha256Hex}'\n` +
      `  DEFAULT DATABASE ${name(database)} SETTINGS PROFILE '${limited}'`,
    `GRANT${on} SELECT ON ${name(database)}.* TO ${name(user)}`,
    `CREATE QUOTA OR REPLACE ${limited}${on} KEYED BY user_name FOR INTERVAL 1 hour MAX ${maxima.join(', ')} TO ${name(user)}`,
  ];
}

const header = `-- The account that Grafana reads with: one database, nothing but SELECT. Run it as somebody who may create users:
--   clickhouse-client --multiquery < clickhouse-account.sql
-- The password is in clickhouse-password beside this file; only its hash is here. To let it in from Grafana's address alone, add
-- HOST IP '192.0.2.1' to CREATE USER.
`;

export function accountSql(account: ReaderAccount): string {
  return `${header}\n${accountStatements(account).join(';\n\n')};\n`;
}

/**
 * The same account as XML, for a server whose accounts stand in files: for `users.d`.
 * https://clickhouse.com/docs/operations/settings/settings-users
 */
export function accountXml(account: ReaderAccount): string {
  const { user, database, passwordSha256Hex } = account;
  const settings = readerSettings(account);
  const values = settings.filter(({ value }) => value !== undefined).map((each) => element(each.name, `${each.value}`));
  const constraints = settings.flatMap(({ name: setting, changeable }) => {
    if (changeable === undefined) return [];
    const bounds = Object.entries(changeable).map(([bound, value]) => element(bound, `${value}`));
    return [element(setting, `${bounds.join('')}<changeable_in_readonly/>`)];
  });
  const maxima = Object.entries(readerLimits).map(([what, most]) => element(what, `${most}`));
  const parts = [
    element('password_sha256_hex', passwordSha256Hex),
    '<networks><ip>::/0</ip></networks>',
    ...[element('profile', limited), element('quota', limited)],
    element('grants', element('query', `GRANT SELECT ON ${name(database)}.*`)),
  ];
  return `<!-- The account that Grafana reads with, for /etc/clickhouse-server/users.d; or run clickhouse-account.sql. -->
<clickhouse>
  <profiles>
    <${limited}>
      ${[...values, element('constraints', constraints.join(''))].join('\n      ')}
    </${limited}>
  </profiles>
  <quotas>
    ${element(limited, `<keyed/>${element('interval', `<duration>3600</duration>${maxima.join('')}`)}`)}
  </quotas>
  <users>
    <${user}>
      ${parts.join('\n      ')}
    </${user}>
  </users>
</clickhouse>
`;
}

function element(tag: string, content: string): string {
  return `<${tag}>${content}</${tag}>`;
}

function settingSql({ name: setting, value, changeable }: ReaderSetting): string {
  const given = value === undefined ? '' : ` = ${typeof value === 'number' ? value : `'${value}'`}`;
  if (changeable === undefined) return setting + given;
  const { min, max } = changeable;
  const bounds = `${min === undefined ? '' : ` MIN ${min}`}${max === undefined ? '' : ` MAX ${max}`}`;
  return `${setting}${given}${bounds} CHANGEABLE_IN_READONLY`;
}

/** Names are checked before they come here: none holds a backtick or a backslash. */
function name(text: string): string {
  return `\`${text}\``;
}

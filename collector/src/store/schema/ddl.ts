import { insertTable, onEveryServer, onLayout } from './layout.ts';
import { lockTableDdl } from './migration-lock.ts';
import { type Migration, migrations, type SchemaOptions } from './migrations.ts';
import { retention } from './retention.ts';

export const versionTable = 'spanwarden_migrations';

/** Statements before any migration: database, claims, versions. */
export function foundation({ database, layout }: SchemaOptions): string[] {
  return [
    ...onLayout(`CREATE DATABASE IF NOT EXISTS ${database}`, layout),
    onEveryServer(lockTableDdl(database), layout),
    onEveryServer(
      `CREATE TABLE IF NOT EXISTS ${database}.${versionTable}
(Version UInt32, Name String, AppliedAt DateTime64(3) DEFAULT now64(3)) ENGINE = MergeTree ORDER BY Version`,
      layout,
    ),
  ];
}

export function statementsOf(migration: Migration, options: SchemaOptions): string[] {
  const { database, layout } = options;
  const statements = migration.statements(options).flatMap((statement) => onLayout(statement, layout));
  const through = migration.throughShards;
  return through ? [...statements, ...insertTable(database, through.table, through.columns, layout)] : statements;
}

export function versionInsert(database: string, { version, name }: Migration): string {
  return `INSERT INTO ${database}.${versionTable} (Version, Name) VALUES (${version}, '${name}')`;
}

/** Without what makes it anew over the shards: a TTL is a matter of the rows. */
export function ttlStatement(table: string, ttl: string, { database, layout }: SchemaOptions): string {
  return onLayout(`ALTER TABLE ${database}.${table} MODIFY TTL ${ttl}`, layout)[0]!;
}

/** The whole schema as a script; who runs it by hand has what the collector would have made. */
export function ddlScript(options: SchemaOptions): string {
  const { ttl: _, ...usual } = options;
  const asMade = new Set(retention(usual).map((each) => `${each.table} ${each.ttl}`));
  const statements = [
    'SET flatten_nested = 1',
    ...foundation(options),
    ...migrations.flatMap((each) => [...statementsOf(each, options), versionInsert(options.database, each)]),
    ...retention(options)
      .filter(({ table, ttl }) => !asMade.has(`${table} ${ttl}`))
      .map(({ table, ttl }) => ttlStatement(table, ttl, options)),
  ];
  return statements.map((statement) => `${statement};\n`).join('\n');
}

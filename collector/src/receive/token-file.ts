import { hash, randomBytes } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';

const namePattern = /^[a-z0-9][a-z0-9.-]{0,62}$/;

/** What a token or a tenant is called: it stands in metrics and logs. Without an underscore, so that ours cannot be taken. */
export const tokenNameSchema = z
  .string()
  .regex(namePattern, 'a name has 1 to 63 characters a-z, 0-9, - and ., and starts with a letter or digit');

const tokenSchema = z.strictObject({
  name: tokenNameSchema,
  /** SHA-256 of the token, in hex. */
  sha256: z.string().regex(/^[0-9a-f]{64}$/, 'must be 64 hex digits'),
  tenant: tokenNameSchema.optional(),
  requests_per_second: z.number().positive().max(limits.tokenRequestsPerSecondMax).optional(),
  created: z.iso.datetime(),
  expires: z.iso.datetime().optional(),
});

const fileSchema = z.strictObject({ version: z.literal(1), tokens: z.array(tokenSchema).max(limits.tokensMax) });

export type StoredToken = z.infer<typeof tokenSchema>;

/** Where tokens are kept: the file that the config names, else one in the data directory. */
export function tokenFileOf(dataDir: string, named: string | undefined): string {
  return resolve(named ?? join(dataDir, 'tokens.json'));
}

/** 256 random bits behind a prefix by which scanners for leaked secrets can know it. */
export function mintToken(): string {
  return `spanwarden_${randomBytes(32).toString('base64url')}`;
}

/**
 * One plain SHA-256: with 256 random bits there is nothing to guess, so that a slow hash would only cost each request. Tokens
 * that people make up are not kept in this file.
 */
export function hashOfToken(token: string): Buffer {
  return hash('sha256', token, 'buffer');
}

/** The tokens in a file; undefined when there is none. Throws a SpanwardenError when it cannot be read or is damaged. */
export function readTokenFile(path: string): readonly StoredToken[] | undefined {
  let text: string;
  try {
    if (statSync(path).size > limits.tokenFileBytesMax) throw damaged(path, 'it is too large');
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof SpanwardenError) throw error;
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    throw damaged(path, code ?? String(error));
  }
  return parse(path, text);
}

function parse(path: string, text: string): readonly StoredToken[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw damaged(path, 'it is not JSON');
  }
  const checked = fileSchema.safeParse(value);
  if (!checked.success) {
    const [issue] = checked.error.issues;
    throw damaged(path, `${issue!.path.join('.')}: ${issue!.message}`);
  }
  const { tokens } = checked.data;
  for (const key of ['name', 'sha256'] as const) {
    if (new Set(tokens.map((token) => token[key])).size < tokens.length) throw damaged(path, `a ${key} is there twice`);
  }
  return tokens;
}

/**
 * Reads the tokens, lets `change` give the new ones and puts them in place at once, readable for this user only. Throws a
 * SpanwardenError when the file is damaged or somebody else is changing it.
 */
export function changeTokenFile(
  path: string,
  change: (tokens: readonly StoredToken[]) => readonly StoredToken[],
): void {
  const next = `${path}.new`;
  let file: number;
  try {
    // Being the only one who could create it is the lock.
    file = openSync(next, 'wx', 0o600);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const reason = code === 'EEXIST' ? `${next} is there: another command is changing the tokens` : `${next}: ${code}`;
    throw new SpanwardenError({
      code: 'SW_TOKEN_FILE',
      message: `the token file cannot be changed: ${reason}`,
      advice: code === 'EEXIST' ? 'If none is, remove that file.' : 'Make its folder writable for this user.',
    });
  }
  try {
    const tokens = change(readTokenFile(path) ?? []);
    writeFileSync(file, `${JSON.stringify({ version: 1, tokens }, null, 2)}\n`);
    fsyncSync(file);
    renameSync(next, path);
  } catch (error) {
    rmSync(next, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

function damaged(path: string, reason: string): SpanwardenError {
  return new SpanwardenError({
    code: 'SW_TOKEN_FILE',
    message: `the token file ${path} cannot be used: ${reason}`,
    advice: 'Put it right, or make the tokens anew with spanwarden token create.',
  });
}

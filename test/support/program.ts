import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The module users name `@spanwarden/instrumentation/register`, from the sources. */
export const registerFile = join(root, 'instrumentation/src/register.ts');
export const registerUrl = pathToFileURL(registerFile).href;
export const indexUrl = pathToFileURL(join(root, 'instrumentation/src/index.ts')).href;

export interface ProgramResult {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly elapsedMs: number;
}

export interface ProgramOptions {
  readonly format?: 'mjs' | 'cjs';
  /** Further files beside the program, by name. */
  readonly files?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the running child, for sending signals. */
  readonly onOutput?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
}

/** Runs a program from a file of its own in a process of its own; it can import the repository's packages. */
export async function runProgram(source: string, options: ProgramOptions = {}): Promise<ProgramResult> {
  // Below node_modules so that packages resolve as for any application, and no tool takes the file for a source of ours.
  const parent = join(root, 'node_modules/.cache');
  mkdirSync(parent, { recursive: true });
  const directory = mkdtempSync(join(parent, 'spanwarden-program-'));
  try {
    const file = join(directory, `app.${options.format ?? 'mjs'}`);
    writeFileSync(file, source);
    for (const [name, text] of Object.entries(options.files ?? {})) writeFileSync(join(directory, name), text);
    return await run([...(options.args ?? []), file], directory, options);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function run(args: readonly string[], cwd: string, options: ProgramOptions): Promise<ProgramResult> {
  const { NODE_OPTIONS: _options, NODE_TEST_CONTEXT: _test, ...env } = process.env;
  const startedAt = performance.now();
  const child = spawn(process.execPath, args, {
    cwd,
    env: { ...env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    options.onOutput?.(text, (signal) => void child.kill(signal));
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr, elapsedMs: performance.now() - startedAt });
    });
  });
}

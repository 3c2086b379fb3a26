#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

// Two fifths of what a start takes is reading hundreds of modules, which are the same each time. What is made of them is kept beside the
// program, where only those write who may also change it; where nobody may, nothing is kept.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/spanwarden', import.meta.url)));
const { runCommandLine } = await import('./cli/program.ts');

// The only file that may end the process. What a command found decides the exit code; see docs/cli.md.
const { code, immediately } = await runCommandLine(process.argv.slice(2));
if (immediately) process.exit(code);
process.exitCode = code;

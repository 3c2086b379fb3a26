#!/usr/bin/env node
import process from 'node:process';
import { runCommandLine } from './cli/program.ts';

// The only file that may end the process. What a command found decides the exit code; see docs/cli.md.
const { code, immediately } = await runCommandLine(process.argv.slice(2));
if (immediately) process.exit(code);
process.exitCode = code;

// What every npm script calls: `node scripts/run.mjs <script> [arguments]`. Plain JavaScript, because the Node that a
// machine happens to have (20 or later) may not run TypeScript. It installs the packages when they are not what the
// lockfile names, builds the instrumentation, and runs the script under the pinned Node 24.
// Everything it says itself goes to stderr: stdout belongs to the script, which may be printing JSON.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join, resolve, sep } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const pinnedMajor = 24;

main(process.argv.slice(2));

function main([script, ...args]) {
  if (script === undefined) fail('Usage: node scripts/run.mjs <script> [arguments]', 2);
  if (!isInstalled()) install();
  const node = pinnedNode();
  build(node);
  runScript(node, script, [...args, ...flagsTakenByNpm(script, args)]);
}

/**
 * Whether node_modules holds what the lockfile names. npm writes its own record (`node_modules/.package-lock.json`) last,
 * so an interrupted installation has none or an old one; folders that somebody deleted since are noticed, too.
 */
function isInstalled() {
  const wanted = readJson(join(root, 'package-lock.json'))?.packages ?? {};
  const found = readJson(join(root, 'node_modules', '.package-lock.json'))?.packages;
  if (found === undefined) return false;
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.link) return true;
    const installed = found[path];
    if (installed === undefined) return entry.optional === true || entry.peer === true;
    return installed.version === entry.version && existsSync(join(root, path, 'package.json'));
  });
}

function install() {
  say('Installing packages (npm ci); this takes a minute on the first run.');
  const cli = process.env.npm_execpath;
  const viaNpm = cli !== undefined && /npm-cli\.[cm]?js$/.test(cli);
  // `npm ci` deletes node_modules first, and with it the pinned Node: so npm must run on the machine's own Node.
  const [command, args] = viaNpm ? [process.env.npm_node_execpath ?? 'node', [cli]] : ['npm', []];
  const result = spawnSync(command, [...args, 'ci', '--loglevel=error'], {
    cwd: root,
    env: environmentForNpm(),
    stdio: ['ignore', 2, 2],
    shell: !viaNpm && process.platform === 'win32',
  });
  if (result.error) fail(`npm could not be started: ${result.error.message}`);
  if (result.status !== 0) fail('The packages could not be installed; what npm said stands above.', result.status ?? 1);
}

/** `npm run -s --json` reaches a nested npm through the environment; it would make this one silent or print JSON. */
function environmentForNpm() {
  const env = { ...process.env };
  for (const name of ['npm_config_json', 'npm_config_silent', 'npm_config_loglevel']) delete env[name];
  const own = join(root, 'node_modules') + sep;
  env.PATH = (env.PATH ?? '')
    .split(delimiter)
    .filter((folder) => !`${folder}${sep}`.startsWith(own))
    .join(delimiter);
  return env;
}

function pinnedNode() {
  const name = process.platform === 'win32' ? 'node.exe' : 'node';
  const path = join(root, 'node_modules', 'node', 'bin', name);
  if (statSync(path, { throwIfNoEntry: false })?.isFile()) return path;
  if (Number.parseInt(process.versions.node, 10) >= pinnedMajor) {
    say(
      `The pinned Node ${pinnedMajor} is missing (its install script did not run); going on with Node ${process.versions.node}.`,
    );
    return process.execPath;
  }
  return fail(
    `The pinned Node ${pinnedMajor} is missing: the install script of the npm package "node" did not run.\n` +
      `Let it run with: npm rebuild node --ignore-scripts=false\n` +
      `or use Node ${pinnedMajor} or later yourself.`,
  );
}

/** Agents load `@spanwarden/instrumentation` from its dist folder; tsc looks for itself whether anything changed. */
function build(node) {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const result = spawnSync(node, [tsc, '-b', 'instrumentation'], { cwd: root, stdio: ['ignore', 2, 2] });
  if (result.error) fail(`The TypeScript compiler could not be started: ${result.error.message}`);
  if (result.status !== 0) say('The instrumentation has type errors (above); going on with what was built.');
}

/** `npm run demo --json` without the `--` in between gives the flag to npm; these two are wanted often enough. */
function flagsTakenByNpm(script, args) {
  if (!script.endsWith('main.ts')) return [];
  return ['json', 'keep']
    .filter((name) => process.env[`npm_config_${name}`] === 'true' && !args.includes(`--${name}`))
    .map((name) => `--${name}`);
}

function runScript(node, script, args) {
  const child = spawn(node, [resolve(root, script), ...args], { stdio: 'inherit' });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // Ctrl-C in a terminal reaches the whole process group, the child included: forwarding it would count twice.
    process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY ? undefined : child.kill(signal)));
  }
  child.on('error', (error) => fail(`${node} could not be started: ${error.message}`));
  child.on('exit', (code, signal) => process.exit(code ?? 128 + (constants.signals[signal] ?? 0)));
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return undefined;
  }
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function fail(text, code = 1) {
  say(text);
  return process.exit(code);
}

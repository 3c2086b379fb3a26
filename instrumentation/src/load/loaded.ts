import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * The paths of all files this process has compiled by now, ES modules and CommonJS alike; undefined where the inspector is
 * not to be had. Node has no list of its ES modules elsewhere, and a static import next to ours has linked its modules
 * before our code runs. Takes some 50 ms, so it is not asked when nothing can have been loaded.
 */
export function loadedFiles(): readonly string[] | undefined {
  try {
    const { Session } = createRequire(import.meta.url)('node:inspector') as typeof import('node:inspector');
    const session = new Session();
    session.connect();
    const paths: string[] = [];
    session.on('Debugger.scriptParsed', ({ params }) => {
      if (params.url.startsWith('file:')) paths.push(fileURLToPath(params.url));
      else if (params.url.startsWith('/') || /^[a-z]:\\/i.test(params.url)) paths.push(params.url);
    });
    session.post('Debugger.enable');
    session.post('Debugger.disable');
    session.disconnect();
    return paths;
  } catch {
    return undefined;
  }
}

/**
 * Whether we are the first thing this process loads: the first `--import` or `--require` names us, so no file of the
 * application can have been loaded before.
 */
export function isFirstPreload(execArgv = process.execArgv, nodeOptions = process.env.NODE_OPTIONS ?? ''): boolean {
  const words = [...nodeOptions.split(/\s+/), ...execArgv];
  for (const [index, word] of words.entries()) {
    const match = /^(--import|--require|-r)(?:=(.*))?$/.exec(word);
    if (!match) continue;
    const value = match[2] ?? words[index + 1] ?? '';
    return (
      /(spanwarden|instrumentation)\/(dist|src)?\/?register(\.[jt]s)?$/.test(value.replaceAll('\\', '/')) ||
      value === '@spanwarden/instrumentation/register'
    );
  }
  return false;
}

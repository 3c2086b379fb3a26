import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { SpanwardenError } from '../../model/errors.ts';

const packages: Readonly<Record<string, string>> = {
  'linux-x64': '@chdb/lib-linux-x64-gnu',
  'linux-arm64': '@chdb/lib-linux-arm64-gnu',
  'darwin-x64': '@chdb/lib-darwin-x64',
  'darwin-arm64': '@chdb/lib-darwin-arm64',
};

/** Path of ClickHouse's shared library, which npm installs as a platform package of `chdb`. */
export function libraryPath(): string {
  const platform = `${process.platform}-${process.arch}`;
  const name = packages[platform];
  if (name === undefined) throw missing(`there is no embedded ClickHouse for ${platform}`);
  const require = createRequire(import.meta.url);
  try {
    require.resolve('ffi-rs');
    const chdb = createRequire(require.resolve('chdb/package.json'));
    return join(dirname(chdb.resolve(`${name}/package.json`)), 'libchdb.so');
  } catch (error) {
    throw missing(`the embedded ClickHouse is not installed: ${(error as Error).message.split('\n')[0]}`);
  }
}

function missing(message: string): SpanwardenError {
  return new SpanwardenError({
    code: 'SW_CLICKHOUSE_START',
    message,
    advice: 'Install the optional packages (npm install chdb ffi-rs), or set clickhouse.url to a ClickHouse of yours.',
  });
}

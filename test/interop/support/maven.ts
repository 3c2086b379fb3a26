import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder } from './tools.ts';

const run = promisify(execFile);
const fetchMs = 600_000;

/**
 * The jars `group:artifact:version` and all that they need, from Maven Central, as a class path. Fetched once and kept.
 * @param name of the folder, for people
 */
export async function mavenJars(name: string, coordinates: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(coordinates.join('\n')).digest('hex').slice(0, 12);
  const folder = join(cacheFolder, `${name}-${hash}`);
  if (!existsSync(folder)) await fetchJars(folder, coordinates);
  return join(folder, '*');
}

async function fetchJars(folder: string, coordinates: readonly string[]): Promise<void> {
  const work = `${folder}.${process.pid}`;
  mkdirSync(work, { recursive: true });
  try {
    const pom = join(work, 'pom.xml');
    writeFileSync(pom, projectOf(coordinates));
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${join(work, 'jars')}`];
    await run('mvn', ['-q', '-B', '-f', pom, ...goal], { timeout: fetchMs, maxBuffer: 16 * 1024 * 1024 });
    renameSync(join(work, 'jars'), folder);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

function projectOf(coordinates: readonly string[]): string {
  const dependencies = coordinates.map((each) => {
    const [group, artifact, version] = each.split(':');
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`;
  });
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>interop</groupId><artifactId>interop</artifactId><version>1</version><packaging>pom</packaging>
<dependencies>${dependencies.join('')}</dependencies>
</project>
`;
}

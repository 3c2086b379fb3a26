import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { watchYaml } from './watch-files.ts';

const root = mkdtempSync(join(tmpdir(), 'spanwarden-watch-'));
after(() => rmSync(root, { recursive: true }));

/** What waits for the next change, while a path is watched. */
function watched(...paths: readonly string[]) {
  let next = Promise.withResolvers<void>();
  const close = watchYaml(
    paths,
    () => next.resolve(),
    (error) => next.reject(error),
  );
  after(close);
  return {
    /** Ends when the change was noticed. */
    noticed: async (change: () => void) => {
      next = Promise.withResolvers<void>();
      change();
      await next.promise;
    },
  };
}

function folderOf(name: string): string {
  const folder = join(root, name);
  mkdirSync(join(folder, 'threat'), { recursive: true });
  writeFileSync(join(folder, 'threat', 'r.yml'), 'a');
  writeFileSync(join(folder, 'r.yml'), 'a');
  return folder;
}

/** As many editors save: a new file takes the place of the old one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}~`, text);
  renameSync(`${path}~`, path);
}

describe('changes of rule files', { timeout: 60_000 }, () => {
  test('another content of a mounted ConfigMap is noticed', async () => {
    const folder = join(root, 'mounted');
    for (const content of ['..1', '..2']) mkdirSync(join(folder, content), { recursive: true });
    symlinkSync('..1', join(folder, '..data'));
    symlinkSync(join('..data', 'r.yml'), join(folder, 'r.yml'));
    const { noticed } = watched(folder);
    await noticed(() => {
      symlinkSync('..2', join(folder, '..new'));
      renameSync(join(folder, '..new'), join(folder, '..data'));
    });
  });

  for (const below of ['r.yml', 'threat/r.yml']) {
    test(`each save of ${below} is noticed, by writing and by replacing, in any order`, async () => {
      const folder = folderOf(`saves-${below.length}`);
      const { noticed } = watched(folder);
      const path = join(folder, below);
      for (let save = 0; save < 3; save++) await noticed(() => replace(path, `replaced ${save}`));
      await noticed(() => writeFileSync(path, 'written'));
      await noticed(() => replace(path, 'replaced again'));
      await noticed(() => rmSync(path));
      await noticed(() => writeFileSync(path, 'new'));
    });
  }

  test('folders that come, go, and come again are watched', async () => {
    const folder = folderOf('folders');
    const { noticed } = watched(folder);
    for (let turn = 0; turn < 2; turn++) {
      await noticed(() => mkdirSync(join(folder, 'new', 'deep'), { recursive: true }));
      await noticed(() => writeFileSync(join(folder, 'new', 'deep', 'x.yml'), 'a'));
      await noticed(() => replace(join(folder, 'new', 'deep', 'x.yml'), 'b'));
      await noticed(() => rmSync(join(folder, 'new'), { recursive: true }));
    }
  });

  test('a file is watched through its folder', async () => {
    const path = join(folderOf('file'), 'r.yml');
    const { noticed } = watched(path);
    for (let save = 0; save < 3; save++) await noticed(() => replace(path, `${save}`));
    await noticed(() => writeFileSync(path, 'written'));
  });
});

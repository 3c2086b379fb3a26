import { statSync } from 'node:fs';

/** Unlike watched inodes and folders, looking works for mounted secrets, whose links change somewhere else. */
const lookMs = 1_000;

/** Calls `changed` when one of the files has become another one, or came, or went. To be called before they are first read. */
export function watchFiles(paths: readonly string[], changed: () => void, intervalMs = lookMs): { close(): void } {
  const look = () => paths.map(signature).join('\n');
  let seen = look();
  const timer = setInterval(() => {
    const now = look();
    if (now === seen) return;
    seen = now;
    changed();
  }, intervalMs).unref();
  return { close: () => clearInterval(timer) };
}

function signature(path: string): string {
  try {
    const { ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    return `${ino} ${size} ${mtimeNs} ${ctimeNs}`;
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code);
  }
}

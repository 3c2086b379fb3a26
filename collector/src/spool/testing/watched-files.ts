import { nodeFiles, type SpoolFile, type SpoolFiles } from '../files.ts';

/** Real files that tell of what is done to them, before it is done. */
export function watchedFiles(tell: (operation: string) => void): SpoolFiles {
  const told = async <T>(operation: string, work: () => Promise<T>): Promise<T> => {
    tell(operation);
    return work();
  };
  return {
    ...nodeFiles,
    create: async (path) => {
      const file = await told('create', () => nodeFiles.create(path));
      return {
        ...passedOn(file),
        write: (buffers, position) => told('write', () => file.write(buffers, position)),
        sync: () => told('sync', () => file.sync()),
      };
    },
    syncDirectory: (path) => told('syncDirectory', () => nodeFiles.syncDirectory(path)),
  };
}

/** The file itself, so that single calls of it can be replaced. */
export function passedOn(file: SpoolFile): SpoolFile {
  return {
    write: (buffers, position) => file.write(buffers, position),
    read: (buffer, position) => file.read(buffer, position),
    size: () => file.size(),
    truncate: (bytes) => file.truncate(bytes),
    sync: () => file.sync(),
    close: () => file.close(),
  };
}

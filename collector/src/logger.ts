import { destination, type Logger, pino, stdTimeFunctions } from 'pino';
import type { Config } from './config/schema.ts';

/**
 * The collector's own log: JSON lines on stderr (file descriptor 2). Log facts about data (counts, ids, codes), never the
 * data: spans are written by strangers and hold their secrets.
 */
export function createLogger(level: Config['log']['level'], fileDescriptor = 2): Logger {
  return pino(
    {
      level,
      base: { service: 'spanwarden' },
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    // Synchronous, so that the last lines before an exit are not lost; the log is quiet.
    destination({ dest: fileDescriptor, sync: true }),
  );
}

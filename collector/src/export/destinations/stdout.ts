import { z } from 'zod';
import { limits } from '../../model/limits.ts';
import type {
  Destination,
  DestinationContext,
  DestinationType,
  EncodedEvent,
  Format,
  SendOutcome,
} from '../contract.ts';
import { formatNames, openFormat } from '../formats/index.ts';

const schema = z.strictObject({
  type: z.literal('stdout').describe('Lines on the standard output.'),
  format: z.enum(formatNames).default('json').describe('What stands in each line; see docs/formats.md. Default json.'),
});

/**
 * One line an event on the standard output, for a container whose output somebody collects. Delivered is what the system has
 * taken; whether the reader at the other end keeps it, nobody can say. The collector's own log goes to stderr.
 */
export const stdoutDestination: DestinationType<'stdout', typeof schema> = {
  type: 'stdout',
  schema,
  eventsDefault: ['finding', 'case'],
  open: ({ format }, context) => new Stdout(openFormat(format), context),
};

class Stdout implements Destination {
  readonly #format: Format;
  readonly #context: DestinationContext;
  readonly limits = {
    eventsMax: limits.exportBatchEventsMax,
    bytesMax: limits.exportBatchBytesMax,
    overheadBytes: 0,
  };

  constructor(format: Format, context: DestinationContext) {
    this.#format = format;
    this.#context = context;
  }

  encode(event: Parameters<Destination['encode']>[0]): Buffer {
    return Buffer.from(`${this.#format.encode(event, this.#context)}\n`);
  }

  send(batch: readonly EncodedEvent[], signal: AbortSignal): Promise<SendOutcome> {
    const { stdout } = process;
    return new Promise((resolve) => {
      const done = (outcome: SendOutcome): void => {
        stdout.off('error', failed);
        signal.removeEventListener('abort', aborted);
        resolve(outcome);
      };
      const failed = (error: Error): void => done({ status: 'retryable', reason: error.message });
      const aborted = (): void => done({ status: 'retryable', reason: 'the reader of the output takes nothing' });
      if (signal.aborted) return aborted();
      stdout.once('error', failed);
      signal.addEventListener('abort', aborted, { once: true });
      stdout.write(Buffer.concat(batch.map(({ body }) => body)), (error) => {
        if (error) failed(error);
        else done({ status: 'delivered', answer: 'written' });
      });
    });
  }

  async close(): Promise<void> {}
}

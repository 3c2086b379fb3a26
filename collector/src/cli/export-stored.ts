import { caseEvents, findingEvent } from '../export/events.ts';
import type { EventSource, SourceRead } from '../export/source.ts';
import type { Case } from '../model/case.ts';
import type { CaseEvent, ExportEvent, FindingEvent } from '../model/export-event.ts';
import type { Finding } from '../model/finding.ts';
import type { StoreClient } from '../store/client.ts';
import {
  caseStates,
  caseStatesById,
  casesOfChains,
  findingStates,
  findingStatesById,
  type StoredState,
  type Stretch,
} from '../store/export-reader.ts';

/** The newest states of findings and then cases of a stretch, as the stream would have given them, in pages. */
export async function* storedEvents(client: StoreClient, stretch: Stretch): AsyncGenerator<ExportEvent[]> {
  for await (const page of findingStates(client, stretch)) yield findingEvents(client, page);
  for await (const page of caseStates(client, stretch)) yield page.flatMap(caseEventsOf);
}

/** The newest states of findings and cases by id, or the first characters of it, in pages. */
export async function* storedEventsById(
  client: StoreClient,
  { findings, cases }: { readonly findings: readonly string[]; readonly cases: readonly string[] },
): AsyncGenerator<ExportEvent[]> {
  for (const ids of chunks(findings)) yield findingEvents(client, await findingStatesById(client, ids));
  for (const ids of chunks(cases)) yield (await caseStatesById(client, ids)).flatMap(caseEventsOf);
}

async function findingEvents(client: StoreClient, page: readonly StoredState<Finding>[]): Promise<FindingEvent[]> {
  const cases = await casesOfChains(
    client,
    page.map(({ state }) => state.chainId ?? ''),
  );
  return page.map(({ state, takenMs }) => {
    const activity = (state.count ?? 1) > 1 ? 'update' : 'create';
    return findingEvent(state, activity, cases.get(state.chainId ?? '') ?? '', takenMs);
  });
}

function caseEventsOf({ state, takenMs }: StoredState<Case>): CaseEvent[] {
  return caseEvents(state, takenMs);
}

const idsPerQuery = 200;

function chunks(ids: readonly string[]): string[][] {
  const starts = Array.from({ length: Math.ceil(ids.length / idsPerQuery) }, (_, index) => index * idsPerQuery);
  return starts.map((start) => ids.slice(start, start + idsPerQuery));
}

/** Pages of events as a stream that ends; a query that fails ends it, too, and is told in `failure`. */
export class PagedSource implements EventSource {
  readonly #pages: AsyncIterator<ExportEvent[]>;
  readonly head = -1;
  readonly waiting = undefined;
  #position = -1;
  failure: unknown;

  constructor(pages: AsyncIterable<ExportEvent[]>) {
    this.#pages = pages[Symbol.asyncIterator]();
  }

  async read(_after: number, signal: AbortSignal): Promise<SourceRead | undefined> {
    try {
      const { done, value } = signal.aborted ? { done: true, value: undefined } : await this.#pages.next();
      if (done || value === undefined) return undefined;
      const batch = value.map((event) => ({ position: ++this.#position, events: [event] }));
      return { batch, through: this.#position, lost: 0 };
    } catch (error) {
      this.failure = error;
      return undefined;
    }
  }
}

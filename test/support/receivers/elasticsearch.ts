import { type Answer, isPoisoned, json, parsed, type Received, Receiver } from './receiver.ts';

export const elasticKey = 'VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw==';

/**
 * `_bulk` of Elasticsearch for a data stream: only `create`, a document for each id, an answer for each item.
 * https://www.elastic.co/docs/api/doc/elasticsearch/operation/operation-bulk
 */
export class ElasticReceiver extends Receiver {
  /** Shards that are too busy for documents whose id ends so: 429 for the item. */
  busyFor: string | undefined;
  readonly documents = new Map<string, string>();

  constructor() {
    super({ bytesMax: 10_000_000, words }, (self) => (received) => (self as ElasticReceiver).#take(received));
  }

  #take({ path, headers, body, query }: Received): Answer {
    if (headers.authorization !== `ApiKey ${elasticKey}`) {
      return json(401, failure('security_exception', `unable to authenticate with ${headers.authorization}`));
    }
    const type = headers['content-type'];
    if (type !== 'application/x-ndjson' && type !== 'application/json') {
      return json(406, failure('media_type_header_exception', `Content-Type header [${type}] is not supported`));
    }
    if (path !== '/logs-spanwarden.findings-default/_bulk')
      return json(404, failure('index_not_found_exception', path));
    const lines = body.toString().split('\n');
    if (lines.pop() !== '') {
      return json(400, failure('illegal_argument_exception', 'The bulk request must be terminated by a newline [\\n]'));
    }
    const items = [];
    for (let at = 0; at < lines.length; at += 2) {
      const item = this.#item(parsed(lines[at] ?? ''), lines[at + 1] ?? '');
      if (item === undefined)
        return json(400, failure('illegal_argument_exception', `Malformed action line [${at + 1}]`));
      items.push({ create: item });
    }
    if (!query.get('filter_path')?.includes('items.*.status')) return json(200, { took: 1, errors: false });
    return json(200, { errors: items.some(({ create }) => create.status !== 201), items });
  }

  #item(action: unknown, text: string): { status: number; error?: object } | undefined {
    const id = (action as { create?: { _id?: unknown } } | undefined)?.create?._id;
    if (typeof id !== 'string' || Buffer.byteLength(id) > 512) return undefined;
    const document = parsed(text);
    const time = (document as { '@timestamp'?: unknown } | null | undefined)?.['@timestamp'];
    // A data stream wants a time of every document.
    if (typeof time !== 'string' || Number.isNaN(Date.parse(time)) || isPoisoned(text)) {
      return { status: 400, error: { type: 'document_parsing_exception', reason: 'failed to parse field [message]' } };
    }
    if (this.busyFor !== undefined && id.endsWith(this.busyFor)) {
      return {
        status: 429,
        error: { type: 'es_rejected_execution_exception', reason: 'rejected execution of primary' },
      };
    }
    if (this.documents.has(id)) {
      const reason = `[${id}]: version conflict, document already exists (current version [1])`;
      return { status: 409, error: { type: 'version_conflict_engine_exception', reason } };
    }
    this.documents.set(id, text);
    this.hold(text);
    return { status: 201 };
  }
}

function words(code: number): string {
  return JSON.stringify(
    failure('es_rejected_execution_exception', 'rejected execution of coordinating operation', code),
  );
}

function failure(type: string, reason: string, status?: number): object {
  return { error: { type, reason, root_cause: [{ type, reason }] }, ...(status !== undefined && { status }) };
}

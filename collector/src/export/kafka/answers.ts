/** What a broker said to the records of one partition. */
export interface Answer {
  /** https://kafka.apache.org/protocol#protocol_error_codes; 0 for none. */
  readonly code: number;
  /** Name and meaning of the code, and what the broker said beside it. */
  readonly said: string;
  /** Of the first record; undefined when the broker did not say. */
  readonly offset: bigint | undefined;
  /** Places of records that it refuses by themselves, and why. */
  readonly records: ReadonlyMap<number, string>;
}

/** By partition. */
export type Answers = ReadonlyMap<number, Answer>;

/** The records are there: now, or from the time before, when the answer was lost. */
export function isStored({ code }: Answer): boolean {
  return code === 0 || code === duplicateSequence;
}

const duplicateSequence = 46;
/** Trees of errors are as deep as attempts are nested; what is deeper is of no use to anybody. */
const depthMax = 8;

/** The answers in what the library gives when all went well. */
export function answersOf(result: unknown): Answers {
  const offsets = listIn(objectIn(result).offsets);
  return new Map(
    offsets.map(objectIn).map(({ partition, offset }) => [partition as number, stored(offset as bigint | undefined)]),
  );
}

/**
 * The answers in an error of the library: it holds those of all brokers and of all attempts, in order. A partition that was once stored
 * is, whatever was said to it later; otherwise the last answer counts.
 */
export function answersIn(error: unknown): Answers {
  const answers = new Map<number, Answer>();
  const take = (partition: number, answer: Answer): void => {
    const former = answers.get(partition);
    if (former === undefined || !isStored(former)) answers.set(partition, answer);
  };
  visit(error, (each) => {
    for (const [partition, answer] of answersOf(each.produced)) take(partition, answer);
    const names = namesIn(each);
    for (const topic of listIn(objectIn(each.response).responses)) {
      for (const part of listIn(objectIn(topic).partitionResponses).map(objectIn)) {
        if (typeof part.index === 'number') take(part.index, answerIn(part, names));
      }
    }
  });
  return answers;
}

/** The errors that say something: those that have no other ones as their cause. */
export function leavesOf(error: unknown): Error[] {
  const leaves: Error[] = [];
  visit(error, (each) => {
    if (each instanceof Error && childrenOf(each).length === 0) leaves.push(each);
  });
  return leaves;
}

/** `NAME (code): meaning: what the broker said`, of an error that is a code of the protocol; undefined of others. */
export function saidIn(error: unknown): { readonly code: number; readonly said: string } | undefined {
  const { apiCode, apiId, message, serverErrorMessage } = objectIn(error);
  if (typeof apiCode !== 'number') return undefined;
  const detail = typeof serverErrorMessage === 'string' && serverErrorMessage !== '' ? serverErrorMessage : message;
  return { code: apiCode, said: `${apiId} (${apiCode}): ${detail}` };
}

function stored(offset: bigint | undefined): Answer {
  return { code: 0, said: '', offset, records: new Map() };
}

function answerIn(part: Readonly<Record<string, unknown>>, names: ReadonlyMap<number, string>): Answer {
  const code = part.errorCode as number;
  const records = listIn(part.recordErrors).map(objectIn);
  return {
    code,
    said: names.get(code) ?? `error ${code}`,
    offset: code === 0 ? (part.baseOffset as bigint) : undefined,
    records: new Map(
      records.map(({ batchIndex, batchIndexErrorMessage }) => [
        batchIndex as number,
        `${names.get(code) ?? `error ${code}`} ${batchIndexErrorMessage ?? ''}`.trim(),
      ]),
    ),
  };
}

/** What the parts of an answer's error say of their codes. */
function namesIn(error: Readonly<Record<string, unknown>>): Map<number, string> {
  return new Map(
    listIn(error.errors).flatMap((part) => {
      const known = saidIn(part);
      return known === undefined ? [] : [[known.code, known.said]];
    }),
  );
}

function visit(error: unknown, see: (error: Readonly<Record<string, unknown>>) => void, depth = 0): void {
  if (typeof error !== 'object' || error === null || depth > depthMax) return;
  see(error as Record<string, unknown>);
  for (const child of childrenOf(error)) visit(child, see, depth + 1);
}

function childrenOf(error: object): unknown[] {
  const { errors, cause } = error as { errors?: unknown; cause?: unknown };
  return [...listIn(errors), ...(cause instanceof Error ? [cause] : [])];
}

function listIn(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function objectIn(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

import type { SendOutcome } from '../contract.ts';
import { failureOf } from '../http/failures.ts';
import type { Show } from '../http/reason.ts';
import { type Answer, isStored, leavesOf, saidIn } from './answers.ts';
import { NoKafka } from './guard.ts';
import { type FailedSend, GivenUp, type Produced } from './producer.ts';

type Verdict = 'too_large' | 'refused' | 'misconfigured' | 'retryable';

/**
 * What codes mean for what was sent, https://kafka.apache.org/protocol#protocol_error_codes. All others are passing: leaders that move, replicas
 * that lag, brokers that start. So are unknown ones: nothing is given up without a word that says so.
 */
const verdicts = new Map<number, Verdict>([
  // MESSAGE_TOO_LARGE, RECORD_LIST_TOO_LARGE
  ...[10, 18].map((code) => [code, 'too_large'] as const),
  // INVALID_TIMESTAMP, INVALID_RECORD
  ...[32, 87].map((code) => [code, 'refused'] as const),
  // UNKNOWN_TOPIC_OR_PARTITION, INVALID_TOPIC_EXCEPTION, INVALID_REQUIRED_ACKS, TOPIC_AUTHORIZATION_FAILED
  ...[3, 17, 21, 29].map((code) => [code, 'misconfigured'] as const),
  // CLUSTER_AUTHORIZATION_FAILED, UNSUPPORTED_SASL_MECHANISM, ILLEGAL_SASL_STATE, UNSUPPORTED_VERSION
  ...[31, 33, 34, 35].map((code) => [code, 'misconfigured'] as const),
  // INVALID_REQUEST, UNSUPPORTED_FOR_MESSAGE_FORMAT, POLICY_VIOLATION, SASL_AUTHENTICATION_FAILED
  ...[42, 43, 44, 58].map((code) => [code, 'misconfigured'] as const),
  // TRANSACTIONAL_ID_AUTHORIZATION_FAILED, SECURITY_DISABLED, UNSUPPORTED_COMPRESSION_TYPE
  ...[53, 54, 76].map((code) => [code, 'misconfigured'] as const),
]);

function verdictOf(code: number): Verdict {
  return verdicts.get(code) ?? 'retryable';
}

export interface OutcomeOptions {
  readonly show: Show;
  readonly topic: string;
}

/** What became of a batch, record by record. */
export function outcomeOf({ partitions, answers, failed }: Produced, { show, topic }: OutcomeOptions): SendOutcome {
  const failure = failed && failureIn(failed, show);
  if (partitions.length === 0 && failure) return failure;
  const refused: { index: number; reason: string }[] = [];
  const again: number[] = [];
  let worst: Answer | undefined;
  for (const { answer, places } of byPartition(partitions, answers)) {
    if (answer === undefined) again.push(...places);
    else if (!isStored(answer)) {
      worst = answer;
      if (verdictOf(answer.code) === 'misconfigured') return { status: 'misconfigured', reason: show(answer.said) };
      for (const [place, index] of places.entries()) {
        const reason = refusalOf(answer, place, places.length);
        if (reason === undefined) again.push(index);
        else refused.push({ index, reason: show(reason) });
      }
    }
  }
  if (again.length === partitions.length) return nothingStored(worst, failure, show);
  return {
    status: 'delivered',
    answer: show(answerText(topic, answers)),
    ...(refused.length > 0 && { refused: refused.sort((a, b) => a.index - b.index) }),
    ...(again.length > 0 && { again: again.sort((a, b) => a - b) }),
  };
}

interface Part {
  readonly answer: Answer | undefined;
  /** Of its records in the batch, in order. */
  readonly places: number[];
}

function byPartition(partitions: readonly number[], answers: Produced['answers']): Part[] {
  const parts = new Map<number, Part>();
  for (const [index, partition] of partitions.entries()) {
    const part = parts.get(partition) ?? { answer: answers.get(partition), places: [] };
    parts.set(partition, part);
    part.places.push(index);
  }
  return [...parts.values()];
}

/**
 * Why a record is refused for good. Brokers take the records of a partition together or not at all: where one of several is at fault and
 * the broker does not say which, all of them are sent again, then in halves, until it stands alone.
 */
function refusalOf({ code, said, records }: Answer, place: number, count: number): string | undefined {
  if (verdictOf(code) === 'retryable') return undefined;
  return records.get(place) ?? (count === 1 ? said : undefined);
}

function nothingStored(answer: Answer | undefined, failure: Failure | undefined, show: Show): SendOutcome {
  if (failure) return failure;
  const { code = 0, said = 'no answer' } = answer ?? {};
  return { status: verdictOf(code), reason: show(said) };
}

function answerText(topic: string, answers: Produced['answers']): string {
  const stored = [...answers].filter(([, answer]) => isStored(answer)).sort(([a], [b]) => a - b);
  const places = stored.map(([partition, { offset }]) => `${partition}${offset === undefined ? '' : ` at ${offset}`}`);
  return `${topic}: stored in partition ${places.join(', ')}`;
}

type Failure = Extract<SendOutcome, { reason: string }>;

/** Why there is no answer: the setup, where anything says so, otherwise the network, which comes back by itself. */
function failureIn({ error, connections }: FailedSend, show: Show): Failure {
  const known = new Set<unknown>(connections.map((each) => each.error));
  const all = [
    ...leavesOf(error)
      .filter((leaf) => !known.has(leaf))
      .map((leaf) => failureOfOne(leaf, 'the brokers', show)),
    ...connections.flatMap(({ error: failed, to }) => leavesOf(failed).map((leaf) => failureOfOne(leaf, to, show))),
  ];
  const setup = all.find(({ status }) => status === 'misconfigured');
  if (setup) return setup;
  if (error instanceof GivenUp) return { status: 'retryable', reason: show(error.message) };
  return all.at(-1) ?? { status: 'retryable', reason: 'no answer' };
}

/** What brokers say by hanging up. */
const hangUps = [
  ['Connection closed', 'listeners that want a login (sasl) do so to those that have none'],
  [
    'before secure TLS connection was established',
    'listeners in the clear (security: none) do so to those that begin TLS',
  ],
] as const;

function failureOfOne(error: Error, to: string, show: Show): Failure {
  const known = saidIn(error);
  if (known) {
    const isSetup = verdictOf(known.code) === 'misconfigured';
    return { status: isSetup ? 'misconfigured' : 'retryable', reason: show(known.said) };
  }
  if (error instanceof NoKafka) return { status: 'misconfigured', reason: show(`${to}: ${error.message}`) };
  const { code = '' } = error as NodeJS.ErrnoException;
  // What the library finds without a broker: a topic that is not there, a login that it cannot finish.
  if (code === 'PLT_KFK_USER' || code === 'PLT_KFK_AUTHENTICATION') {
    return { status: 'misconfigured', reason: show(error.message) };
  }
  const hint = hangUps.find(([said]) => error.message.includes(said))?.[1];
  if (hint) return { status: 'retryable', reason: show(`${to} closed the connection; ${hint}`) };
  if (code.startsWith('PLT_KFK_')) return { status: 'retryable', reason: show(`${to}: ${error.message}`) };
  return failureOf(error, to, show);
}

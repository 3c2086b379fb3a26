import type { Logger } from 'pino';
import { hasMoreValues } from './decode/json-values.ts';
import type { IntakeGuards } from './intake-guards.ts';
import { addConnectionGauges, addMemoryGauges } from './memory-limit/gauges.ts';
import type { MemoryPlan } from './memory-limit/plan.ts';
import { MemoryWatch } from './memory-limit/watch.ts';
import type { Metrics } from './metrics.ts';
import type { OwnWork } from './own-traces/open.ts';
import type { TracePipeline } from './pipeline.ts';
import { Admission } from './receive/admission.ts';
import type { ReceiveConfig } from './receive/config.ts';
import { Connections } from './receive/connections.ts';
import type { Encoding, ReceiveOptions, Refusal } from './receive/contract.ts';

/** What is let in, and what becomes of it. */
export interface Intake {
  readonly receive: ReceiveOptions;
  /** What an operator should know about it now. */
  warnings(): readonly string[];
  /** Lets nobody in any more; the body of a request under way is waited for so long. */
  stop(readMs: number): void;
  close(): void;
}

interface IntakeOptions {
  readonly own: Pick<OwnWork, 'consume'>;
  readonly guards: IntakeGuards;
  readonly config: Pick<ReceiveConfig, 'http' | 'wait_max_ms'>;
  readonly pipeline: Pick<TracePipeline, 'consume'>;
  readonly metrics: Metrics;
  readonly plan: MemoryPlan;
  readonly logger: Logger;
}

/** What both transports do with a request. */
export function openIntake({ own, guards, config, pipeline, metrics, plan, logger }: IntakeOptions): Intake {
  const { access, tls } = guards;
  const memory = new MemoryWatch({ limitBytes: plan.limitBytes, logger });
  const admission = new Admission({
    bytesMax: plan.requestsBytesMax,
    waitMsMax: config.wait_max_ms,
    memory: () => memory.level(),
  });
  addMemoryGauges(metrics, memory, admission);
  const connections = new Connections(plan.connectionBytesMax);
  addConnectionGauges(metrics, connections);
  const receive: ReceiveOptions = {
    paths: config.http.paths,
    admit: (authorization) => access.admit(authorization),
    ...(tls && { tls }),
    admission,
    connections,
    bodyBytesMax: plan.bodyBytesMax,
    consume: own.consume(async (encoding, bytes, signal, hops) => {
      metrics.decodedBytes.inc({ encoding }, bytes.length);
      const refusal = tooCostly(encoding, bytes, plan);
      if (refusal !== undefined) return refusal;
      const done = metrics.ackSeconds.startTimer();
      const outcome = await pipeline.consume(encoding, bytes, signal, hops);
      done();
      return outcome;
    }),
    answered: (code, ms) => {
      metrics.requests.inc({ code });
      if (code === '200' || code === 'OK') metrics.acceptedSeconds.observe(ms / 1000);
    },
  };
  return {
    receive,
    warnings: () => {
      const warnings = [memory.warning(), connections.warning()];
      return warnings.filter((warning) => warning !== undefined);
    },
    stop: (readMs) => admission.stop(readMs),
    close: () => memory.close(),
  };
}

/** JSON becomes objects before it becomes bytes, and those take far more memory than the text. */
function tooCostly(encoding: Encoding, bytes: Buffer, plan: MemoryPlan): Refusal | undefined {
  if (encoding !== 'json' || bytes.length * 2 < plan.jsonValuesMax) return undefined;
  const code = 'SW_HTTP_BODY_TOO_LARGE';
  if (bytes.length > plan.jsonBytesMax) {
    return { status: 'refused', code, message: `a JSON body is over ${plan.jsonBytesMax} bytes; send smaller batches` };
  }
  if (!hasMoreValues(bytes, plan.jsonValuesMax)) return undefined;
  const message = `body holds more than ${plan.jsonValuesMax} JSON values; send smaller batches`;
  return { status: 'refused', code, message };
}

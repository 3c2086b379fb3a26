import { type Context, type Span, type Tracer, trace } from '@opentelemetry/api';
import { attr, operation } from './semconv.ts';

/**
 * For agents that live as long as one task: jobs, scripts, command lines. With SPANWARDEN_AGENT set to a name the whole
 * process is one run of that agent: spans that would be roots go below one `invoke_agent` span, which ends with the
 * process. SPANWARDEN_CONVERSATION names the conversation it works on. A server must leave both unset: its requests are
 * runs of their own.
 */
export interface ProcessRun {
  readonly agentName: string;
  readonly conversationId: string | undefined;
}

const nameCharsMax = 256;

/** What the environment says about this process; undefined when it says nothing. */
export function processRunFrom(env: NodeJS.ProcessEnv): ProcessRun | undefined {
  const agentName = env.SPANWARDEN_AGENT?.trim().slice(0, nameCharsMax);
  if (!agentName) return undefined;
  return { agentName, conversationId: env.SPANWARDEN_CONVERSATION?.trim().slice(0, nameCharsMax) || undefined };
}

export const processRun: ProcessRun | undefined = processRunFrom(process.env);

let root: Span | undefined;

/** The context to start a span in: `parent` as it is, or the process's run where there is no span to be the parent. */
export function withinProcessRun(parent: Context, tracer: () => Tracer): Context {
  if (!processRun || trace.getSpan(parent)) return parent;
  root ??= startRoot(processRun, parent, tracer());
  return trace.setSpan(parent, root);
}

function startRoot(run: ProcessRun, parent: Context, tracer: Tracer): Span {
  const span = tracer.startSpan(
    `${operation.invokeAgent} ${run.agentName}`,
    {
      startTime: performance.timeOrigin,
      attributes: {
        [attr.operationName]: operation.invokeAgent,
        [attr.agentName]: run.agentName,
        ...(run.conversationId !== undefined && { [attr.conversationId]: run.conversationId }),
      },
    },
    parent,
  );
  // Before the exporter's own listeners, so that the last flush takes this span along. Signals have no listener: it would
  // keep alive a process that is to die, and the spans below are worth more than the one above them.
  const end = (): void => {
    if (span.isRecording()) span.end();
  };
  process.prependOnceListener('beforeExit', end);
  process.prependOnceListener('exit', end);
  return span;
}

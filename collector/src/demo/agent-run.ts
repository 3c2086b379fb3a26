import { spawn } from 'node:child_process';
import { extname } from 'node:path';
import { modelName } from './model-server.ts';

export interface AgentRunOptions {
  readonly ticketId: string;
  /** Base URL of the OTLP/HTTP receiver, without `/v1/traces`. */
  readonly otlpUrl: string;
  readonly modelUrl: string;
  readonly sinkUrl: string;
  /** Which of the demo's runs this is; it becomes the service's instance id. */
  readonly run: string;
  readonly signal: AbortSignal;
}

export interface AgentRun {
  readonly answer: string;
  /** 0 when the ticket was answered. */
  readonly exitCode: number;
  /** What the agent wrote to standard error, its last 4,000 characters. */
  readonly errors: string;
}

export const serviceName = 'support-agent';

const timeoutMs = 30_000;
const outputCharsMax = 4_000;

/**
 * Runs the agent on one ticket in a process of its own. The instrumentation is the `--import` on its command line and
 * nothing else; where to send spans it learns from OpenTelemetry's standard variables. Rejects when the signal aborts.
 */
export function runAgent(options: AgentRunOptions): Promise<AgentRun> {
  const agent = `${import.meta.dirname}/agent${extname(import.meta.filename)}`;
  const args = ['--import', '@spanwarden/instrumentation/register', agent, options.ticketId];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, {
      // Node resolves the name after --import from the working directory.
      cwd: import.meta.dirname,
      env: agentEnvironment(options),
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: options.signal,
      timeout: timeoutMs,
    });
    let answer = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      answer = (answer + text).slice(0, outputCharsMax);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-outputCharsMax);
    });
    child.on('error', (error) => {
      // An aborted child is still ending; `close` tells when it has.
      if (child.pid === undefined) reject(error);
    });
    child.on('close', (code) => {
      if (options.signal.aborted) reject(options.signal.reason);
      else resolve({ answer: answer.trim(), exitCode: code ?? 1, errors: errors.trim() });
    });
  });
}

/** The user's own OTEL_*, OPENAI_* and proxy variables stay out: the demo must act alike on every machine. */
function agentEnvironment(options: AgentRunOptions): NodeJS.ProcessEnv {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'LANG', 'SYSTEMROOT', 'USERPROFILE'];
  return {
    ...Object.fromEntries(kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []))),
    OTEL_SERVICE_NAME: serviceName,
    OTEL_RESOURCE_ATTRIBUTES: `service.instance.id=${options.run}`,
    // The process is one run of this agent, in this conversation.
    SPANWARDEN_AGENT: serviceName,
    SPANWARDEN_CONVERSATION: `ticket-${options.ticketId}`,
    OTEL_EXPORTER_OTLP_ENDPOINT: options.otlpUrl,
    // Milliseconds between exports; a person is watching.
    OTEL_BSP_SCHEDULE_DELAY: '100',
    OPENAI_BASE_URL: options.modelUrl,
    OPENAI_API_KEY: 'any',
    OPENAI_MODEL: modelName,
    DEMO_SINK_URL: options.sinkUrl,
  };
}

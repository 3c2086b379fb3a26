import type { Logger } from 'pino';
import { Counter } from 'prom-client';
import type { Config } from './config/schema.ts';
import type { Metrics } from './metrics.ts';
import { type Problem, problemText } from './model/errors.ts';
import { Access } from './receive/access.ts';
import { isLoopback, parseListen } from './receive/config.ts';
import { TlsFiles } from './receive/tls.ts';
import { tokenFileOf } from './receive/token-file.ts';

/** Who is let in, and by which certificate they know us: both may change while the collector runs. */
export interface IntakeGuards {
  readonly access: Access;
  readonly tls: TlsFiles | undefined;
  /** Reads the files again; what is wrong in them leaves the old ones in place. */
  reload(): readonly Problem[];
  /** Why the newest files were not taken. */
  warnings(): readonly string[];
  close(): void;
}

/** Throws a SpanwardenError when tokens or certificate cannot be used. */
export function openIntakeGuards({ receive }: Config, dataDir: string, logger: Logger): IntakeGuards {
  const path = tokenFileOf(dataDir, receive.tokens_file);
  const isWide = [receive.http.listen, receive.grpc.listen].some(
    (at) => at !== 'off' && !isLoopback(parseListen(at).host),
  );
  if (isWide && receive.tls === undefined) {
    logger.warn(
      'spans and tokens cross the network as they are: set receive.tls, or put a proxy in front that speaks TLS',
    );
  }
  const tls = receive.tls && new TlsFiles(receive.tls, logger);
  const access = new Access({
    bearerToken: receive.bearer_token?.reveal(),
    file: { path, required: receive.tokens_file !== undefined },
    hasCertificates: receive.tls?.client_ca_file !== undefined,
    logger,
  });
  const warning = (what: string, problem: Problem | undefined) =>
    problem === undefined ? [] : [`${what} refused: ${problemText(problem)}`];
  return {
    access,
    tls,
    reload: () => [...access.reload(), ...(tls?.reload() ?? [])],
    warnings: () => [
      ...warning('the newest tokens were', access.problem),
      ...warning('the newest certificate was', tls?.problem),
    ],
    close: () => {
      access.close();
      tls?.close();
    },
  };
}

/** Requests by token. Names are those of the token file; tokens that are gone take their numbers with them. */
export function addIntakeGauges(metrics: Metrics, { access, tls }: IntakeGuards): void {
  new Counter({
    name: 'spanwarden_receive_token_requests_total',
    help: 'Requests by the token they gave: accepted, limited, expired; without one that is known: missing, unknown.',
    labelNames: ['token', 'tenant', 'outcome'],
    registers: [metrics.registry],
    collect() {
      this.reset();
      for (const { token, tenant, counts } of access.counts()) {
        for (const [outcome, number] of Object.entries(counts)) this.inc({ token, tenant, outcome }, number);
      }
    },
  });
  if (tls === undefined) return;
  metrics.gauge(
    'spanwarden_receive_tls_expiry_timestamp_seconds',
    'When the certificate expires.',
    () => tls.expiresMs / 1000,
  );
}

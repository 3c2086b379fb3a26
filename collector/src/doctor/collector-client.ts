import { readFileSync } from 'node:fs';
import type { Config } from '../config/schema.ts';
import { type HttpAnswer, type HttpCall, HttpClient } from '../otlp-check/http-client.ts';
import { localAddress } from '../receive/config.ts';

/** Asks the collector of a config, from its own machine. */
export interface CollectorClient {
  readonly url: string;
  /** `Authorization` as senders give it; nothing where there is no token to give. */
  readonly authorization: Readonly<Record<string, string>>;
  /** Where spans are sent to. */
  readonly tracesPath: string;
  /** Whether the token is that of the config, and not one that was given. */
  readonly isConfigToken: boolean;
  /** Rejects with the network's reason when there is no answer. */
  ask(call: HttpCall): Promise<HttpAnswer>;
  close(): void;
}

const answerMsMax = 10_000;

/**
 * Over TLS it trusts the certificate in the config and no other, so that an answer tells that this one is served, and that it has
 * not expired. Throws when that file cannot be read.
 *
 * @param given a token of a sender, instead of the one in the config
 */
export function collectorClient(config: Config, given: string | undefined): CollectorClient {
  const { http, tls, bearer_token } = config.receive;
  const { host, port } = localAddress(http.listen);
  const url = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}`;
  const secure = tls && {
    ca: readFileSync(tls.cert_file),
    allowPartialTrustChain: true,
    // It is the certificate that counts here, not the name by which others reach it.
    checkServerIdentity: () => undefined,
  };
  const client = new HttpClient(url, {}, { answerMsMax, ...(secure && { secure }) });
  const token = given ?? bearer_token?.reveal();
  return {
    url,
    tracesPath: http.paths.traces,
    authorization: token === undefined ? {} : { authorization: `Bearer ${token}` },
    isConfigToken: given === undefined && token !== undefined,
    ask: async (call) => {
      const answer = await client.send(call);
      if (answer.status === 0) throw new Error(answer.failure);
      return answer;
    },
    close: () => client.close(),
  };
}

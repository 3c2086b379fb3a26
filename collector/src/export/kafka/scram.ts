import type { SASLCustomAuthenticator, saslScramSha } from '@platformatic/kafka';
import { limits } from '../../model/limits.ts';
import { NoKafka } from './guard.ts';

/**
 * Logs in by SCRAM, with a bound on the work that the broker asks for: it takes a thread of those that also write the spool, and a broker that
 * is none could ask for hours of it. https://www.rfc-editor.org/rfc/rfc5802#section-5.1
 * @param scram the library's part, which is loaded when it is needed
 */
export function boundedScram({ authenticate, defaultCrypto }: typeof saslScramSha): SASLCustomAuthenticator {
  const crypto: typeof defaultCrypto = {
    ...defaultCrypto,
    hi: async (definition, password, salt, iterations) => {
      if (iterations <= limits.exportScramIterationsMax) {
        return defaultCrypto.hi(definition, password, salt, iterations);
      }
      throw new NoKafka(
        `the broker wants ${iterations} iterations of SCRAM; ${limits.exportScramIterationsMax} are made`,
      );
    },
  };
  return (mechanism, connection, api, username = '', password = '', _token, callback) => {
    const algorithm = mechanism === 'SCRAM-SHA-256' ? 'SHA-256' : 'SHA-512';
    authenticate(api, connection, algorithm, username, password, crypto, callback);
  };
}

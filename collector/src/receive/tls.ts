import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext, type TlsOptions } from 'node:tls';
import type { Logger } from 'pino';
import { type Problem, SpanwardenError } from '../model/errors.ts';
import { limits } from '../model/limits.ts';
import type { TlsConfig } from './config.ts';
import { watchFiles } from './watched-files.ts';

/** What servers are made with, and given again after a change. */
export type TlsServerOptions = Pick<
  TlsOptions,
  'cert' | 'key' | 'ca' | 'minVersion' | 'requestCert' | 'rejectUnauthorized'
>;

interface Loaded {
  readonly options: TlsServerOptions;
  readonly expiresMs: number;
}

const dayMs = 86_400_000;
const expirySoonMs = 14 * dayMs;

/** Certificate, key and CA of clients, read again when they change. With anything wrong in them the old ones go on. */
export class TlsFiles {
  readonly #config: TlsConfig;
  readonly #logger: Logger | undefined;
  readonly #users: ((options: TlsServerOptions) => void)[] = [];
  readonly #watch: { close(): void };
  #loaded: Loaded;
  #problem: Problem | undefined;

  /** Throws a SpanwardenError when a file cannot be read, or certificate and key do not belong together. */
  constructor(config: TlsConfig, logger?: Logger) {
    this.#config = config;
    this.#logger = logger;
    const { cert_file, key_file, client_ca_file } = config;
    const files = [cert_file, key_file, ...(client_ca_file === undefined ? [] : [client_ca_file])];
    this.#watch = watchFiles(files, () => this.reload());
    try {
      this.#loaded = this.#load();
    } catch (error) {
      this.close();
      throw error;
    }
  }

  get options(): TlsServerOptions {
    return this.#loaded.options;
  }

  /** When the certificate expires, Unix time in milliseconds. */
  get expiresMs(): number {
    return this.#loaded.expiresMs;
  }

  /** Why the newest files were not taken. */
  get problem(): Problem | undefined {
    return this.#problem;
  }

  /** Called with new options; connections that are open keep what they have. */
  onChange(use: (options: TlsServerOptions) => void): void {
    this.#users.push(use);
  }

  reload(): readonly Problem[] {
    try {
      this.#loaded = this.#load();
      for (const use of this.#users) use(this.#loaded.options);
      this.#problem = undefined;
      this.#logger?.info({ expires: new Date(this.expiresMs).toISOString() }, 'certificate read');
      return [];
    } catch (error) {
      if (!(error instanceof SpanwardenError)) throw error;
      [this.#problem] = error.problems;
      const reason = this.#problem!.message;
      this.#logger?.error({ reason }, 'certificate cannot be used; the old one goes on');
      return error.problems;
    }
  }

  close(): void {
    this.#watch.close();
  }

  #load(): Loaded {
    const { cert_file: certFile, key_file: keyFile, client_ca_file: caFile } = this.#config;
    const cert = read('cert_file', certFile);
    const key = read('key_file', keyFile);
    const ca = caFile === undefined ? undefined : read('client_ca_file', caFile);
    const certificate = attempt('cert_file', certFile, () => new X509Certificate(cert));
    attempt('key_file', keyFile, () => createPrivateKey(key));
    if (caFile !== undefined) {
      // Without a certificate in it OpenSSL would take the file, and then nobody's certificate.
      attempt('client_ca_file', caFile, () => new X509Certificate(ca!));
    }
    attempt('key_file', keyFile, () => createSecureContext({ cert, key, ca }));
    const expiresMs = Date.parse(certificate.validTo);
    if (expiresMs - Date.now() < expirySoonMs) {
      this.#logger?.warn({ file: certFile, expires: certificate.validTo }, 'the certificate expires soon, or has');
    }
    const clients = ca === undefined ? {} : { ca, requestCert: true, rejectUnauthorized: true };
    return { options: { cert, key, minVersion: 'TLSv1.2', ...clients }, expiresMs };
  }
}

function read(key: keyof TlsConfig, path: string): Buffer {
  return attempt(key, path, () => {
    if (statSync(path).size > limits.tlsFileBytesMax) throw new Error('it is too large');
    return readFileSync(path);
  });
}

function attempt<T>(key: keyof TlsConfig, path: string, make: () => T): T {
  try {
    return make();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new SpanwardenError({
      code: 'SW_TLS_FILE',
      message: `receive.tls.${key} ${resolve(path)} cannot be used: ${code === 'ENOENT' ? 'it is not there' : message}`,
      advice: 'It must be PEM, readable for this user; the key must be that of the certificate, without a passphrase.',
    });
  }
}

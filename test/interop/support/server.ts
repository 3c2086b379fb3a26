import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** In addition to the environment of the test. */
  readonly env?: NodeJS.ProcessEnv;
  /** What the program writes, on either output, when it can be used. */
  readonly ready: RegExp;
  readonly readyMs: number;
}

/** Characters of what a server wrote that are kept, for saying why something failed. */
const logCharsMax = 64 * 1024;

/** A server in a process of its own, that may be killed. */
export class Server {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  #log = '';

  private constructor({ command, args, cwd, env }: ServerOptions) {
    const child = spawn(command, args, { cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    this.#exited = once(child, 'exit');
  }

  /** Resolves when it is ready; throws with what it wrote when it ends before that, or says nothing for `readyMs`. */
  static async start(options: ServerOptions): Promise<Server> {
    const server = new Server(options);
    try {
      await server.#ready(options);
    } catch (error) {
      await server.end('SIGKILL');
      throw error;
    }
    return server;
  }

  /** The end of what it wrote. */
  get log(): string {
    return this.#log;
  }

  /** Sends a signal and waits for the end, if it has not come yet; SIGKILL is what a crash looks like. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.#child.kill(signal);
    await this.#exited.catch(() => undefined);
  }

  #ready({ command, ready, readyMs }: ServerOptions): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (what: string) => reject(new Error(`${command} ${what}:\n${this.#log.slice(-8000)}`));
      const timer = setTimeout(() => fail(`was not ready within ${readyMs} ms`), readyMs);
      const read = (text: string): void => {
        this.#log = `${this.#log}${text}`.slice(-logCharsMax);
        if (ready.test(this.#log)) resolve();
      };
      this.#child.stdout?.setEncoding('utf8').on('data', read);
      this.#child.stderr?.setEncoding('utf8').on('data', read);
      this.#exited.then(
        () => fail('ended'),
        (error: Error) => fail(`could not be started: ${error.message}`),
      );
      this.#exited.finally(() => clearTimeout(timer)).catch(() => undefined);
    });
  }
}

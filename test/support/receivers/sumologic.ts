import { type Answer, isPoisoned, parsed, type Received, Receiver } from './receiver.ts';

export const sumoPath = '/receiver/v1/http/ZaVnC4dhaV2secretsecretsecret==';

/** An HTTP source: https://help.sumologic.com/docs/send-data/hosted-collectors/http-source/troubleshooting/ */
export class SumoReceiver extends Receiver {
  constructor() {
    super({ bytesMax: 1_000_000 }, (self) => (received) => (self as SumoReceiver).#take(received));
  }

  #take({ path, headers, body }: Received): Answer {
    if (path !== sumoPath) return { code: 401, body: `{"status":401,"message":"Invalid token ${path}"}` };
    if (headers['x-sumo-category'] !== 'security/agents') return { code: 400, body: 'no category' };
    const lines = body.toString().split('\n');
    const isWhole = lines.every((line) => parsed(line) !== undefined && Buffer.byteLength(line) <= 65_536);
    if (!isWhole || lines.some(isPoisoned)) return { code: 400, body: 'not lines of JSON' };
    for (const line of lines) this.hold(line);
    return { code: 200 };
  }
}

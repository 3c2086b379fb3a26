// `node bench/messages.ts [--quick] [--against <checkout>]`: conversations of which every call sends all that was said before. First what is
// stored of them under `store.messages: full` and `once`, by emitter; then what a call costs after 5, 25, 50 and 100 turns against one that sends
// its new messages only, by turns with another checkout if one is named: what its bytes take whatever is known of them, and what is found out
// and asked about it. `--lengths` for the last part only. See bench/README.md.

import { makeTold } from './conversations.ts';
import { measureLengths } from './message-lengths.ts';
import { measureStorage } from './message-storage.ts';

const quick = process.argv.includes('--quick');
const turns = 50;
const rounds = quick ? 2 : 5;

if (!process.argv.includes('--lengths')) await measureStorage(makeTold(turns), rounds);
await measureLengths(rounds + 1);

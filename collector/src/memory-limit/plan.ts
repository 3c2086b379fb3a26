import { limits } from '../model/limits.ts';

/** How the memory of the process is divided. What is left is code, libraries and what the allocator cannot give back at once. */
export interface MemoryPlan {
  readonly limitBytes: number;
  /** Of V8's old space, where rules and what they remember are. */
  readonly heapBytesMax: number;
  /** Requests under way, and one of them. */
  readonly requestsBytesMax: number;
  readonly bodyBytesMax: number;
  /** Of those, one in JSON, and the values in it. */
  readonly jsonBytesMax: number;
  readonly jsonValuesMax: number;
  /** Connections of one server, while nothing is sent over them. */
  readonly connectionBytesMax: number;
  /** Rows that wait for their fsync. */
  readonly spoolPendingBytesMax: number;
  /** Which part of the bounds in `limits.ts` what detection remembers may reach. */
  readonly stateShare: number;
}

const mebibyte = 1024 * 1024;
/** What Node, its libraries and buffers take beside the heap. */
const otherBytes = 192 * mebibyte;
/** With so much memory all that is remembered may be as large as `limits.ts` allows. */
const fullStateBytes = 2048 * mebibyte;

export function memoryPlan(limitBytes: number): MemoryPlan {
  return {
    limitBytes,
    heapBytesMax: Math.min(Math.floor((limitBytes * 5) / 8), limitBytes - otherBytes),
    requestsBytesMax: Math.min(limits.requestsBytesMax, Math.floor(limitBytes / 6)),
    bodyBytesMax: Math.min(limits.bodyBytesMax, Math.floor(limitBytes / 8)),
    connectionBytesMax: Math.floor(limitBytes / 16),
    jsonBytesMax: Math.min(limits.bodyBytesMax, Math.floor(limitBytes / 16)),
    jsonValuesMax: Math.min(limits.jsonValuesMax, Math.floor(limitBytes / 256)),
    spoolPendingBytesMax: Math.min(limits.spoolPendingBytesMax, Math.floor(limitBytes / 8)),
    stateShare: Math.min(1, limitBytes / fullStateBytes),
  };
}

import { createFieldTable } from '../../model/fields.ts';
import type { Finding } from '../../model/finding.ts';
import type { Value } from '../../model/value.ts';
import { createDetector, type Detector } from '../engine.ts';
import { loadRules } from '../load.ts';
import { type PlainSpan, plainEvents } from './plain-events.ts';

export const second = 1_000_000_000n;

export const base = (tool: string) =>
  `title: ${tool}\nname: ${tool}\nlogsource: {product: ai_agent, category: tool}\n` +
  `detection: {s: {tool: ${tool}}, condition: s}\n`;

export interface Options {
  readonly type?: string;
  readonly rules?: string;
  readonly groupBy?: string;
  readonly condition?: string;
  readonly name?: string;
  readonly more?: string;
}

export function correlation({ type = 'event_count', rules = '[a]', groupBy = '[g]', ...rest }: Options) {
  const { name = 'c', more = '', condition = '{gte: 2}' } = rest;
  return (
    `title: ${name}\nname: ${name}\ncorrelation:\n  type: ${type}\n  rules: ${rules}\n  group-by: ${groupBy}\n` +
    `  timespan: 10s\n  condition: ${condition}\n${more}`
  );
}

export interface Setup {
  readonly detector: Detector;
  /** Sends spans in one batch. */
  send(...spans: readonly PlainSpan[]): Finding[];
  sendAt(nowNanos: bigint | undefined, ...spans: readonly PlainSpan[]): Finding[];
  /** Sends spans, then settles everything: the newest state of each finding, without those of base rules. */
  all(...spans: readonly PlainSpan[]): Finding[];
}

export function setup(...documents: readonly string[]): Setup {
  const fields = createFieldTable();
  const text = [base('a'), base('b'), ...documents].join('---\n');
  const detector = createDetector({ ...loadRules([{ path: 'r.yml', text }]), fields });
  const sendAt = (nowNanos: bigint | undefined, ...spans: readonly PlainSpan[]) =>
    detector.detect(
      plainEvents(spans, (id) => fields.name(id)),
      nowNanos,
    );
  const send = (...spans: readonly PlainSpan[]) => sendAt(undefined, ...spans);
  return {
    detector,
    sendAt,
    send,
    all: (...spans) => {
      const findings = [...send(...spans), ...detector.flush()].filter(({ count }) => count !== undefined);
      return [...new Map(findings.map((finding) => [finding.id, finding])).values()];
    },
  };
}

export function span(tool: string, atSeconds: number, more: Readonly<Record<string, Value>> = {}): PlainSpan {
  const endNanos = BigInt(1000 + atSeconds) * second;
  return { fields: { tool, g: 'x', span_id: spanId(tool, atSeconds), ...more }, endNanos, startNanos: endNanos - 1n };
}

export function spanId(tool: string, atSeconds: number): string {
  return `${tool.charCodeAt(0).toString(16)}${atSeconds.toString(16)}`.padStart(16, '0');
}

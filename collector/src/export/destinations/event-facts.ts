import type { ExportEvent } from '../../model/export-event.ts';
import type { Level } from '../../model/severity.ts';
import type { FormatContext } from '../contract.ts';

/** What envelopes and messages say of an event, be it a finding or a case. */
export interface EventFacts {
  /** The same for all states of the finding or the case. */
  readonly subjectId: string;
  /** One sentence for people. Hostile. */
  readonly title: string;
  readonly level: Level;
  /** Event time of the newest thing that it is about, milliseconds since the epoch. */
  readonly timeMs: number;
  /** Rules that fired, the worst first. Ids are the rules' own; titles are texts of rule authors. */
  readonly rules: readonly { readonly id: string; readonly title: string }[];
  /** Hostile, all of them. */
  readonly agents: readonly string[];
  readonly users: readonly string[];
  readonly tools: readonly string[];
  readonly traceId: string;
}

export function eventFacts(event: ExportEvent): EventFacts {
  if (event.kind === 'finding') {
    const { finding } = event;
    return {
      subjectId: finding.id,
      title: finding.reason || finding.ruleTitle,
      level: finding.level,
      timeMs: milliseconds(finding.lastSeenNanos ?? finding.timeNanos),
      rules: [{ id: finding.ruleId, title: finding.ruleTitle }],
      agents: named([finding.agentName]),
      users: named([finding.userId]),
      tools: named([finding.toolName]),
      traceId: finding.traceId,
    };
  }
  const about = event.case;
  return {
    subjectId: about.id,
    title: about.headline,
    level: about.level,
    timeMs: milliseconds(about.lastSeenNanos),
    rules: about.votes.map(({ ruleId, ruleTitle }) => ({ id: ruleId, title: ruleTitle })),
    agents: named(about.agents),
    users: named(about.users),
    tools: named([...new Set(about.timeline.map(({ toolName }) => toolName))]),
    traceId: about.traceIds[0] ?? '',
  };
}

/** The context for bodies of at most so many bytes, if it does not want less already. */
export function within<Context extends FormatContext>(context: Context, bytesMax: number): Context {
  return { ...context, bytesMax: Math.min(context.bytesMax, bytesMax) };
}

function named(names: readonly string[]): string[] {
  return names.filter((name) => name !== '');
}

/** Telemetry may claim any time; what no date can hold becomes the nearest that one can. */
function milliseconds(nanos: bigint): number {
  return Math.min(Math.max(Number(nanos / 1_000_000n), 0), 253_402_300_799_999);
}

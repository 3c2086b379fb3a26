import type { ExportEvent } from '../../model/export-event.ts';
import type { levels } from '../../model/severity.ts';
import type { FormatContext } from '../contract.ts';
import { decisionText } from '../formats/facts.ts';
import { eventFacts } from './event-facts.ts';

/** An event for people: short texts, each on one line, without anything that acts on a reader or leads somewhere. */
export interface Message {
  /** Of the finding or the case: what messages about the same thing have in common. */
  readonly subjectId: string;
  readonly level: (typeof levels)[number];
  /** What happened, in our words: `CRITICAL case`, `Closed: HIGH case`. */
  readonly heading: string;
  /** One sentence; at most 500 characters. */
  readonly text: string;
  /** What it is about, in our words and theirs: `Agents`, `support, billing`. */
  readonly facts: readonly (readonly [string, string])[];
  /** An http or https address of ours, '' where there is none. */
  readonly link: string;
  /** Nothing more to do about it: somebody closed it, or it became part of another case. */
  readonly isOver: boolean;
  readonly timeMs: number;
}

const textCharsMax = 500;
const factCharsMax = 200;
const listMax = 5;

export function messageOf(event: ExportEvent, context: FormatContext): Message {
  const { subjectId, title, level, timeMs, rules, agents, users, tools } = eventFacts(event);
  const isMerged = event.kind === 'case' && event.case.mergedInto !== '';
  const isOver = event.activity === 'close' || isMerged;
  const decision = event.kind === 'case' ? event.case.decision : undefined;
  const isReopened = decision?.action === 'reopen';
  const verb = isMerged ? 'Merged: ' : isOver ? 'Closed: ' : isReopened ? 'Opened again: ' : updateVerb(event);
  const facts: (readonly [string, string])[] = [
    ['Rules', listed(rules.map((rule) => rule.title))],
    ['Agents', listed(agents)],
    ['Users', listed(users)],
    ['Tools', listed(tools)],
    ...(event.kind === 'case' ? ([['Findings', countOf(event.case)]] as const) : []),
    ['Decision', decision === undefined ? '' : line(decisionText(decision), factCharsMax)],
    ...Object.entries(context.extraFields(event)).map(([name, value]) => [name, line(value, factCharsMax)] as const),
  ];
  return {
    subjectId,
    level,
    heading: `${event.isSample ? '[SAMPLE] ' : ''}${verb}${level.toUpperCase()} ${event.kind}`,
    text: line(title, textCharsMax),
    facts: facts.filter(([, value]) => value !== '').slice(0, 10),
    link: safeLink(context.link(event)),
    isOver,
    timeMs,
  };
}

function updateVerb({ activity }: ExportEvent): string {
  return activity === 'update' ? 'Update: ' : '';
}

/**
 * A text out of telemetry on one line: what cannot be seen is written as its code point, and addresses are written so that no
 * client makes links of them.
 */
export function line(text: string, charsMax: number): string {
  const shown = text
    .slice(0, charsMax * 4)
    .toWellFormed()
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => `<U+${character.codePointAt(0)?.toString(16).toUpperCase()}>`)
    .replaceAll('://', '[:]//')
    .replace(/\bwww\./gi, (start) => `${start.slice(0, -1)}[.]`)
    .replace(/\b(mailto|tel|javascript|data):/gi, '$1[:]');
  return shown.length <= charsMax
    ? shown
    : `${shown
        .slice(0, charsMax - 1)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`;
}

function listed(names: readonly string[]): string {
  const more = names.length > listMax ? ` and ${names.length - listMax} more` : '';
  const each = Math.floor(factCharsMax / Math.max(Math.min(names.length, listMax), 1));
  return (
    names
      .slice(0, listMax)
      .map((name) => line(name, each))
      .join(', ') + more
  );
}

function countOf({ findings, count }: { readonly findings: number; readonly count: number }): string {
  return `${findings}, seen ${count} ${count === 1 ? 'time' : 'times'}`;
}

/** Values of events may stand in it: anything but a plain address of the web is left out. */
function safeLink(link: string): string {
  if (link === '' || link.length > 2000 || !URL.canParse(link)) return '';
  const { protocol, href } = new URL(link);
  return /^https?:$/.test(protocol) ? href.replace(/[|<>"`\s\\]/g, encodeURIComponent) : '';
}

import type { CaseFinding } from '../../model/case.ts';
import { severityId } from '../../model/severity.ts';
import { Role } from './roles.ts';

/** What a headline is made of; all texts are on one line already. */
export type HeadlineStep = Pick<
  CaseFinding,
  'timeNanos' | 'level' | 'ruleTitle' | 'agentName' | 'toolName' | 'spanName'
> & { readonly roles: number };

const toolsMax = 3;

/**
 * One plain sentence: who did what after reading what, and the worst finding. `steps` are in event order and at least
 * one.
 */
export function headlineOf(steps: readonly HeadlineStep[]): string {
  const worst = steps.reduce((most, step) => (weight(step) > weight(most) ? step : most));
  const read = steps.filter(({ roles, timeNanos }) => (roles & Role.injection) !== 0 && timeNanos <= worst.timeNanos);
  // What only tells of the text names the source better than what also tells of the deed.
  const source = read.find(({ roles }) => roles === Role.injection) ?? read[0];
  const doing = steps.filter((step) => step.toolName !== '' && (step.roles & ~Role.injection) !== 0);
  const tools = [...new Set(doing.map(({ toolName }) => toolName))];
  const after = source && source !== worst ? ` after reading ${sourceText(source)}` : '';
  const did = tools.length > 0 ? `called ${listText(tools)}${after}` : after === '' ? '' : `acted${after}`;
  const who = worst.agentName || 'An agent without a name';
  return did === '' ? `${who}: ${worst.ruleTitle}` : `${who} ${did}: ${worst.ruleTitle}`;
}

/** The worst; of equals what was done says more than what was read. */
function weight({ level, roles, toolName }: HeadlineStep): number {
  const done = (roles & (Role.egress | Role.action)) !== 0 ? 2 : 0;
  return severityId(level) * 4 + done + (toolName === '' ? 0 : 1);
}

function sourceText({ toolName, ruleTitle }: HeadlineStep): string {
  const what = `“${ruleTitle}”`;
  return toolName === '' ? what : `${toolName} with ${what}`;
}

function listText(names: readonly string[]): string {
  const shown = names.slice(0, toolsMax);
  const more = names.length - shown.length;
  const parts = more > 0 ? [...shown, `${more} more`] : shown;
  return parts.length < 2 ? (parts[0] ?? '') : `${parts.slice(0, -1).join(', ')} and ${parts.at(-1)}`;
}

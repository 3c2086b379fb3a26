import type { ExportEvent } from '../model/export-event.ts';
import { limits } from '../model/limits.ts';
import { severityId } from '../model/severity.ts';

/** What may stand in braces in a template; '' where an event has no such thing. */
const values = {
  kind: ({ kind }) => kind,
  event_id: ({ id }) => id,
  activity: ({ activity }) => activity,
  level: (event) => about(event).level,
  severity_id: (event) => String(severityId(about(event).level)),
  finding_id: (event) => (event.kind === 'finding' ? event.finding.id : ''),
  case_id: (event) => (event.kind === 'finding' ? event.caseId : event.case.id),
  headline: (event) => (event.kind === 'finding' ? event.finding.reason : event.case.headline),
  rule_id: (event) => (event.kind === 'finding' ? event.finding.ruleId : (event.case.votes[0]?.ruleId ?? '')),
  rule_title: (event) => (event.kind === 'finding' ? event.finding.ruleTitle : (event.case.votes[0]?.ruleTitle ?? '')),
  agent: (event) => (event.kind === 'finding' ? event.finding.agentName : (event.case.agents[0] ?? '')),
  service: (event) => (event.kind === 'finding' ? event.finding.serviceName : ''),
  tool: (event) => (event.kind === 'finding' ? event.finding.toolName : ''),
  user: (event) => (event.kind === 'finding' ? event.finding.userId : (event.case.users[0] ?? '')),
  conversation_id: (event) =>
    event.kind === 'finding' ? event.finding.conversationId : (event.case.conversations[0] ?? ''),
  trace_id: (event) => (event.kind === 'finding' ? event.finding.traceId : (event.case.traceIds[0] ?? '')),
  span_id: (event) => (event.kind === 'finding' ? event.finding.spanId : ''),
} as const satisfies Readonly<Record<string, (event: ExportEvent) => string>>;

export const placeholderNames = Object.keys(values) as readonly (keyof typeof values)[];

export const fieldNamePattern = /^[A-Za-z][A-Za-z0-9_.]{0,63}$/;

const placeholder = /\{\{|\}\}|\{([^{}]*)\}|[{}]/g;

/** What is wrong with a template, for people; undefined when nothing is. `{{` and `}}` stand for plain braces. */
export function templateProblem(template: string): string | undefined {
  for (const [whole, name] of template.matchAll(placeholder)) {
    if (whole === '{{' || whole === '}}') continue;
    if (name === undefined) return `${whole} stands alone: write ${whole}${whole} for a plain ${whole}`;
    if (!Object.hasOwn(values, name)) return `{${name}} is not known; known are ${placeholderNames.join(', ')}`;
  }
  return undefined;
}

/** Templates that were checked, as a function that fills them in. Texts are cut at `limits.exportFieldCharsMax`. */
export function compileFields(
  templates: Readonly<Record<string, string>>,
): (event: ExportEvent) => Readonly<Record<string, string>> {
  const entries = Object.entries(templates);
  return (event) => Object.fromEntries(entries.map(([name, template]) => [name, filled(template, event)]));
}

/** One pass: what a value holds is never read as a placeholder. */
function filled(template: string, event: ExportEvent): string {
  const text = template.replace(placeholder, (whole, name: string | undefined) => {
    if (name === undefined) return whole[0]!;
    return values[name as keyof typeof values](event);
  });
  if (text.length <= limits.exportFieldCharsMax) return text;
  return `${text.slice(0, limits.exportFieldCharsMax - 1).toWellFormed()}…`;
}

function about(event: ExportEvent) {
  return event.kind === 'finding' ? event.finding : event.case;
}

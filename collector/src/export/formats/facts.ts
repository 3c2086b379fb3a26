import type { Case, CaseDecision } from '../../model/case.ts';
import type { Activity, CaseEvent, ExportEvent, FindingEvent } from '../../model/export-event.ts';
import type { Finding } from '../../model/finding.ts';
import { sessionOf } from '../../model/session.ts';
import type { Level } from '../../model/severity.ts';
import type { FormatContext } from '../contract.ts';
import { type Severity, severities } from './severities.ts';

/**
 * What formats with one flat row tell of an event, be it about a finding or a case: '' and empty where it knows nothing. Of a case the
 * single values (`agent`, `rule`) are the first of their lists.
 */
export interface Facts {
  readonly kind: ExportEvent['kind'];
  readonly eventId: string;
  readonly activity: Activity;
  /** Of the finding or the case. */
  readonly id: string;
  readonly caseId: string;
  readonly isSample: boolean;
  readonly isCut: boolean;
  /** For people: the rule's title, or the case's headline; a sample begins with `[SAMPLE]`. */
  readonly title: string;
  readonly message: string;
  readonly level: Level;
  readonly severity: Severity;
  readonly takenMs: number;
  readonly firstNanos: bigint;
  readonly lastNanos: bigint;
  /** How often it was seen. */
  readonly count: number;
  /** Different findings: 1 of a finding. */
  readonly findings: number;
  /** The rule, or the one that counts most in the case. */
  readonly ruleId: string;
  readonly ruleTitle: string;
  readonly ruleVersion: string;
  readonly ruleIds: readonly string[];
  readonly tags: readonly string[];
  readonly response: string;
  readonly agent: string;
  readonly agents: readonly string[];
  readonly service: string;
  readonly tool: string;
  readonly tools: readonly string[];
  readonly user: string;
  readonly users: readonly string[];
  readonly session: string;
  readonly sessions: readonly string[];
  readonly conversation: string;
  readonly traceId: string;
  readonly traceIds: readonly string[];
  readonly spanId: string;
  readonly spanName: string;
  /** What made the rules match: `field: excerpt`, one text each. */
  readonly evidence: readonly string[];
  readonly link: string;
  readonly extra: Readonly<Record<string, string>>;
  readonly product: FormatContext['product'];
  readonly host: string;
}

/** The facts of an event. */
export function factsOf(event: ExportEvent, context: FormatContext, isCut: boolean): Facts {
  const { product, host } = context;
  const facts = event.kind === 'finding' ? findingFacts(event) : caseFacts(event);
  return {
    ...facts,
    kind: event.kind,
    eventId: event.id,
    activity: event.activity,
    isSample: event.isSample,
    isCut,
    title: titleOf(event),
    message: messageOf(event),
    severity: severities[facts.level],
    takenMs: event.takenMs,
    link: context.link(event),
    extra: context.extraFields(event),
    product,
    host,
  };
}

/** What people read first. A sample says so before anything else, for whoever is called by it at night. */
export function titleOf(event: ExportEvent): string {
  return marked(event, event.kind === 'finding' ? event.finding.ruleTitle : event.case.headline);
}

/** What happened, in a sentence; of a case also how often, and by which rules. */
export function messageOf(event: ExportEvent): string {
  if (event.kind === 'case') return marked(event, caseMessage(event.case));
  const { reason, ruleTitle } = event.finding;
  return marked(event, reason === '' ? ruleTitle : reason);
}

function marked({ isSample }: ExportEvent, text: string): string {
  return isSample ? `[SAMPLE] ${text}` : text;
}

function caseMessage({ headline, findings, count, votes, decision }: Case): string {
  const rules = votes.map(({ ruleTitle }) => ruleTitle).join(', ');
  const numbers = `${findings} ${findings === 1 ? 'finding' : 'findings'}, seen ${count} ${count === 1 ? 'time' : 'times'}`;
  const decided = decision === undefined ? '' : `${decisionText(decision)} `;
  return `${decided}${headline} (${numbers}${rules === '' ? '' : `; rules: ${rules}`})`;
}

/** `[closed by jane as benign: a test of ours]`, words of a person in it. */
export function decisionText({ action, disposition, reason, by }: CaseDecision): string {
  return action === 'close' ? `[closed by ${by} as ${disposition}: ${reason}]` : `[opened again by ${by}: ${reason}]`;
}

/** `field: excerpt`, or the excerpt alone where the rule names no field. */
export function evidenceTexts({ evidence }: Finding): string[] {
  return evidence.map(({ field, excerpt }) => (field === '' ? excerpt : `${field}: ${excerpt}`));
}

type OwnFacts = Omit<
  Facts,
  | 'kind'
  | 'eventId'
  | 'activity'
  | 'isSample'
  | 'isCut'
  | 'title'
  | 'message'
  | 'severity'
  | 'takenMs'
  | 'link'
  | 'extra'
  | 'product'
  | 'host'
>;

function findingFacts({ finding, caseId }: FindingEvent): OwnFacts {
  const session = sessionOf(finding).id;
  return {
    id: finding.id,
    caseId,
    level: finding.level,
    firstNanos: finding.timeNanos,
    lastNanos: finding.lastSeenNanos ?? finding.timeNanos,
    count: finding.count ?? 1,
    findings: 1,
    ruleId: finding.ruleId,
    ruleTitle: finding.ruleTitle,
    ruleVersion: finding.ruleVersion,
    ruleIds: [finding.ruleId],
    tags: finding.tags,
    response: finding.response,
    agent: finding.agentName,
    agents: known([finding.agentName]),
    service: finding.serviceName,
    tool: finding.toolName,
    tools: known([finding.toolName]),
    user: finding.userId,
    users: known([finding.userId]),
    session,
    sessions: known([session]),
    conversation: finding.conversationId,
    traceId: finding.traceId,
    traceIds: known([finding.traceId]),
    spanId: finding.spanId,
    spanName: finding.spanName,
    evidence: evidenceTexts(finding),
  };
}

function caseFacts(event: CaseEvent): OwnFacts {
  const { case: told } = event;
  const worst = told.votes[0];
  const tools = known(told.timeline.map(({ toolName }) => toolName));
  return {
    id: told.id,
    caseId: told.id,
    level: told.level,
    firstNanos: told.firstSeenNanos,
    lastNanos: told.lastSeenNanos,
    count: told.count,
    findings: told.findings,
    ruleId: worst?.ruleId ?? '',
    ruleTitle: worst?.ruleTitle ?? '',
    ruleVersion: '',
    ruleIds: known(told.votes.map(({ ruleId }) => ruleId)),
    tags: [],
    response: '',
    agent: told.agents[0] ?? '',
    agents: told.agents,
    service: '',
    tool: tools[0] ?? '',
    tools,
    user: told.users[0] ?? '',
    users: told.users,
    session: told.conversations[0] ?? told.traceIds[0] ?? '',
    sessions: told.conversations,
    conversation: told.conversations[0] ?? '',
    traceId: told.traceIds[0] ?? '',
    traceIds: told.traceIds,
    spanId: '',
    spanName: '',
    evidence: known(told.timeline.map(({ shown }) => shown)),
  };
}

function known(texts: readonly string[]): string[] {
  return [...new Set(texts.filter((text) => text !== ''))];
}

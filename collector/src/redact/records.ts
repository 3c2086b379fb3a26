import type { Case } from '../model/case.ts';
import type { Finding } from '../model/finding.ts';
import type { Redactor } from '../model/redaction.ts';

/** Findings as they may be stored. Ids stay: they were made of the clear text and say nothing of it. */
export function redactedFindings(findings: readonly Finding[], redactor: Redactor | undefined): readonly Finding[] {
  if (redactor === undefined) return findings;
  return findings.map((finding) => ({
    ...finding,
    reason: redactor.derived(finding.reason),
    groupKey: redactor.derived(finding.groupKey),
    spanName: redactor.derived(finding.spanName),
    serviceName: redactor.derived(finding.serviceName),
    agentName: redactor.derived(finding.agentName),
    conversationId: redactor.derived(finding.conversationId),
    // A session may go by a conversation of another span.
    ...(finding.session && { session: { ...finding.session, id: redactor.derived(finding.session.id) } }),
    userId: redactor.derived(finding.userId),
    toolName: redactor.derived(finding.toolName),
    evidence: finding.evidence.map((item) => ({
      ...item,
      field: redactor.derived(item.field),
      excerpt: redactor.derived(item.excerpt, item.field === '' ? anyText : item.field),
    })),
  }));
}

/** Cases as they may be stored. */
export function redactedCases(cases: readonly Case[], redactor: Redactor | undefined): readonly Case[] {
  if (redactor === undefined) return cases;
  const each = (texts: readonly string[]) => texts.map((text) => redactor.derived(text));
  return cases.map((row) => ({
    ...row,
    headline: redactor.derived(row.headline),
    raisedBy: redactor.derived(row.raisedBy),
    ...(row.decision && { decision: { ...row.decision, reason: redactor.derived(row.decision.reason) } }),
    agents: each(row.agents),
    users: each(row.users),
    conversations: each(row.conversations),
    timeline: row.timeline.map((step) => ({
      ...step,
      spanName: redactor.derived(step.spanName),
      agentName: redactor.derived(step.agentName),
      toolName: redactor.derived(step.toolName),
      shown: redactor.derived(step.shown, anyText),
    })),
  }));
}

/** The name of a field that holds content: what a keyword found, or what a timeline shows, may be anything. */
const anyText = 'message.text';

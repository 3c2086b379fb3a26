import type { Case } from '../model/case.ts';
import type { Finding } from '../model/finding.ts';
import type { Redactor } from '../model/redaction.ts';

/** Findings as they may be stored. Ids stay: they were made of the clear text and say nothing of it. */
export function redactedFindings(findings: readonly Finding[], redactor: Redactor | undefined): readonly Finding[] {
  if (redactor === undefined) return findings;
  return findings.map((finding) => ({
    ...finding,
    reason: redactor.text(finding.reason),
    groupKey: redactor.text(finding.groupKey),
    spanName: redactor.text(finding.spanName),
    serviceName: redactor.text(finding.serviceName),
    agentName: redactor.text(finding.agentName),
    conversationId: redactor.text(finding.conversationId),
    userId: redactor.text(finding.userId),
    toolName: redactor.text(finding.toolName),
    evidence: finding.evidence.map((item) => ({
      ...item,
      field: redactor.text(item.field),
      excerpt: redactor.text(item.excerpt, item.field === '' ? anyText : item.field),
    })),
  }));
}

/** Cases as they may be stored. */
export function redactedCases(cases: readonly Case[], redactor: Redactor | undefined): readonly Case[] {
  if (redactor === undefined) return cases;
  const each = (texts: readonly string[]) => texts.map((text) => redactor.text(text));
  return cases.map((row) => ({
    ...row,
    headline: redactor.text(row.headline),
    raisedBy: redactor.text(row.raisedBy),
    ...(row.decision && { decision: { ...row.decision, reason: redactor.text(row.decision.reason) } }),
    agents: each(row.agents),
    users: each(row.users),
    conversations: each(row.conversations),
    timeline: row.timeline.map((step) => ({
      ...step,
      spanName: redactor.text(step.spanName),
      agentName: redactor.text(step.agentName),
      toolName: redactor.text(step.toolName),
      shown: redactor.text(step.shown, anyText),
    })),
  }));
}

/** The name of a field that holds content: what a keyword found, or what a timeline shows, may be anything. */
const anyText = 'message.text';

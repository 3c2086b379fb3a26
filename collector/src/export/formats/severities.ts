import { type Level, severityId } from '../../model/severity.ts';

/** A level in the scales of the receivers. */
export interface Severity {
  /** OCSF severity_id, https://schema.ocsf.io/ */
  readonly ocsf: number;
  /** OCSF's name of it, and ours in sentences. */
  readonly name: string;
  /** CEF 0 to 10; LEEF's `sev` has the same numbers from 1. */
  readonly cef: number;
  /** OTLP SeverityNumber, https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitynumber */
  readonly otlp: number;
  readonly otlpText: string;
  /** ECS event.severity and event.risk_score: the scores that Elastic Security gives its levels. */
  readonly ecs: number;
  /** `severity` of Splunk's CIM data model Alerts. */
  readonly splunk: string;
  /** ProductSeverity of Google's UDM. */
  readonly udm: string;
  /** EventSeverity of Microsoft's ASIM, which knows nothing above High. */
  readonly asim: string;
}

/** One table for all formats. */
export const severities: Readonly<Record<Level, Severity>> = {
  informational: row('informational', 'Informational', 2, 9, 'INFO', 21, 'INFORMATIONAL', 'Informational'),
  low: row('low', 'Low', 3, 10, 'INFO2', 21, 'LOW', 'Low'),
  medium: row('medium', 'Medium', 5, 13, 'WARN', 47, 'MEDIUM', 'Medium'),
  high: row('high', 'High', 8, 17, 'ERROR', 73, 'HIGH', 'High'),
  critical: row('critical', 'Critical', 10, 21, 'FATAL', 99, 'CRITICAL', 'High'),
};

function row(
  level: Level,
  name: string,
  cef: number,
  otlp: number,
  otlpText: string,
  ecs: number,
  udm: string,
  asim: string,
): Severity {
  return { ocsf: severityId(level), name, cef, otlp, otlpText, ecs, splunk: level, udm, asim };
}

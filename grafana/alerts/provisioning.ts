import { stringify } from 'yaml';
import { queryFormats } from '../query.ts';
import { agentAlerts, caseAlerts } from './cases.ts';
import { collectorAlerts } from './collector.ts';
import { detectionAlerts } from './detection.ts';
import { exportAlerts } from './exports.ts';
import { type AlertSpec, alertSql } from './spec.ts';

interface AlertGroup {
  readonly name: string;
  /** How often its rules are asked. */
  readonly interval: string;
  readonly alerts: readonly AlertSpec[];
}

export const alertGroups: readonly AlertGroup[] = [
  { name: 'Spanwarden cases', interval: '1m', alerts: caseAlerts },
  { name: 'Spanwarden agents', interval: '10m', alerts: agentAlerts },
  { name: 'Spanwarden collector', interval: '1m', alerts: collectorAlerts },
  { name: 'Spanwarden detection', interval: '1m', alerts: detectionAlerts },
  { name: 'Spanwarden exports', interval: '1m', alerts: exportAlerts },
];

/** The data source of `provisioning/datasources`: rules take no variable. */
export const alertDataSourceUid = 'spanwarden-sql';

/** Where rules are shown; the folder of the dashboards. */
const folder = 'Spanwarden';
const expression = { type: '__expr__', uid: '__expr__' } as const;

const header = `# Alert rules for Grafana's provisioning folder, generated from grafana/alerts: npm run generate writes it.
# Who is notified is decided by Grafana's notification policies, which are left alone: route on the labels severity and product.
`;

/** The file of alert rules. https://grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning/ */
export function alertsYaml(): string {
  const groups = alertGroups.map(({ name, interval, alerts }) => ({
    ...{ orgId: 1, name, folder, interval },
    rules: alerts.map(ruleOf),
  }));
  return header + stringify({ apiVersion: 1, groups }, { lineWidth: 0, aliasDuplicateObjects: false });
}

/** A rule: A asks, B takes one number of each series, C compares. */
function ruleOf(spec: AlertSpec) {
  const { uid, title, severity, threshold, windowSeconds, noData, onError, panel } = spec;
  const relativeTimeRange = { from: windowSeconds, to: 0 };
  return {
    ...{ uid, title, condition: 'C' },
    data: [
      { refId: 'A', relativeTimeRange, datasourceUid: alertDataSourceUid, model: queryModel(spec) },
      { refId: 'B', relativeTimeRange, datasourceUid: expression.uid, model: reduceModel() },
      { refId: 'C', relativeTimeRange, datasourceUid: expression.uid, model: thresholdModel(threshold) },
    ],
    ...{ for: spec.for, noDataState: noData, execErrState: onError, isPaused: false },
    labels: { severity, product: 'spanwarden' },
    annotations: {
      ...{
        summary: spec.summary,
        description: spec.description,
        runbook: `docs/operations.md#${anchor(spec.runbook)}`,
      },
      ...(panel && { __dashboardUid__: panel.dashboardUid, __panelId__: String(panel.id) }),
    },
  };
}

function queryModel({ query }: AlertSpec) {
  const datasource = { type: 'grafana-clickhouse-datasource', uid: alertDataSourceUid };
  return { refId: 'A', datasource, editorType: 'sql', ...queryFormats.table, rawSql: alertSql(query) };
}

function reduceModel() {
  return { refId: 'B', datasource: expression, type: 'reduce', expression: 'A', reducer: 'last' };
}

function thresholdModel({ type, value }: AlertSpec['threshold']) {
  const conditions = [{ evaluator: { type, params: [value] } }];
  return { refId: 'C', datasource: expression, type: 'threshold', expression: 'B', conditions };
}

/** The address of a heading within its page. */
export function anchor(heading: string): string {
  return heading.toLowerCase().replaceAll(' ', '-');
}

import type { Dashboard } from '@grafana/schema';
import { alertsYaml } from './alerts/provisioning.ts';
import { agentDashboard } from './dashboards/agent.ts';
import { approvalsDashboard } from './dashboards/approvals.ts';
import { costDashboard } from './dashboards/cost.ts';
import { coverageDashboard } from './dashboards/coverage.ts';
import { egressDashboard } from './dashboards/egress.ts';
import { findingsDashboard } from './dashboards/findings.ts';
import { healthDashboard } from './dashboards/health.ts';
import { injectionDashboard } from './dashboards/injection.ts';
import { inventoryDashboard } from './dashboards/inventory.ts';
import { overviewDashboard } from './dashboards/overview.ts';
import { rulesDashboard } from './dashboards/rules.ts';
import { sessionDashboard } from './dashboards/session.ts';

/** Every dashboard, by the path of its JSON in the repository. */
export const dashboards: Readonly<Record<string, () => Dashboard>> = {
  'grafana/dashboards/agent.json': agentDashboard,
  'grafana/dashboards/approvals.json': approvalsDashboard,
  'grafana/dashboards/cost.json': costDashboard,
  'grafana/dashboards/coverage.json': coverageDashboard,
  'grafana/dashboards/egress.json': egressDashboard,
  'grafana/dashboards/findings.json': findingsDashboard,
  'grafana/dashboards/health.json': healthDashboard,
  'grafana/dashboards/injection.json': injectionDashboard,
  'grafana/dashboards/inventory.json': inventoryDashboard,
  'grafana/dashboards/overview.json': overviewDashboard,
  'grafana/dashboards/rules.json': rulesDashboard,
  'grafana/dashboards/session.json': sessionDashboard,
};

/** The generated files: path in the repository and content. `npm run generate` writes them. */
export const grafanaFiles: Readonly<Record<string, () => string>> = {
  ...Object.fromEntries(
    Object.entries(dashboards).map(([path, dashboard]) => [path, () => `${JSON.stringify(dashboard(), null, 2)}\n`]),
  ),
  'grafana/provisioning/alerting/spanwarden.yaml': alertsYaml,
};

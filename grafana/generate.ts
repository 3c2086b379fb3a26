import type { Dashboard } from '@grafana/schema';
import { alertsYaml } from './alerts/provisioning.ts';
import { agentDashboard } from './dashboards/agent.ts';
import { findingsDashboard } from './dashboards/findings.ts';
import { overviewDashboard } from './dashboards/overview.ts';
import { sessionDashboard } from './dashboards/session.ts';

/** Every dashboard, by the path of its JSON in the repository. */
export const dashboards: Readonly<Record<string, () => Dashboard>> = {
  'grafana/dashboards/agent.json': agentDashboard,
  'grafana/dashboards/findings.json': findingsDashboard,
  'grafana/dashboards/overview.json': overviewDashboard,
  'grafana/dashboards/session.json': sessionDashboard,
};

/** The generated files: path in the repository and content. `npm run generate` writes them. */
export const grafanaFiles: Readonly<Record<string, () => string>> = {
  ...Object.fromEntries(
    Object.entries(dashboards).map(([path, dashboard]) => [path, () => `${JSON.stringify(dashboard(), null, 2)}\n`]),
  ),
  'grafana/provisioning/alerting/spanwarden.yaml': alertsYaml,
};

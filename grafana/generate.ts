import type { Dashboard } from '@grafana/schema';
import { alertsYaml } from './alerts/provisioning.ts';
import { findingsDashboard } from './dashboards/findings.ts';

/** Every dashboard, by the path of its JSON in the repository. */
export const dashboards: Readonly<Record<string, () => Dashboard>> = {
  'grafana/dashboards/findings.json': findingsDashboard,
};

/** The generated files: path in the repository and content. `npm run generate` writes them. */
export const grafanaFiles: Readonly<Record<string, () => string>> = {
  ...Object.fromEntries(
    Object.entries(dashboards).map(([path, dashboard]) => [path, () => `${JSON.stringify(dashboard(), null, 2)}\n`]),
  ),
  'grafana/provisioning/alerting/spanwarden.yaml': alertsYaml,
};

import type { Dashboard } from '@grafana/schema';
import { approvalsDashboard } from './dashboards/approvals.ts';
import { coverageDashboard } from './dashboards/coverage.ts';
import { findingsDashboard } from './dashboards/findings.ts';
import { healthDashboard } from './dashboards/health.ts';
import { rulesDashboard } from './dashboards/rules.ts';

/** Every dashboard, by the path of its JSON in the repository. */
export const dashboards: Readonly<Record<string, () => Dashboard>> = {
  'grafana/dashboards/approvals.json': approvalsDashboard,
  'grafana/dashboards/coverage.json': coverageDashboard,
  'grafana/dashboards/findings.json': findingsDashboard,
  'grafana/dashboards/health.json': healthDashboard,
  'grafana/dashboards/rules.json': rulesDashboard,
};

/** The generated files: path in the repository and content. `npm run generate` writes them. */
export const dashboardFiles: Readonly<Record<string, () => string>> = Object.fromEntries(
  Object.entries(dashboards).map(([path, dashboard]) => [path, () => `${JSON.stringify(dashboard(), null, 2)}\n`]),
);

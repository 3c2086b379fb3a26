import type { Store } from '../../collector/src/store/index.ts';
import { loadGrafanaActivity } from './grafana-activity-data.ts';
import { loadGrafanaData } from './grafana-data.ts';
import { loadOperationsData } from './grafana-operations-data.ts';
import { loadRunData, shop } from './grafana-run-data.ts';

/** Everything that any board shows. */
export async function loadBoardData(store: Store): Promise<void> {
  await loadGrafanaData(store);
  await loadRunData(store);
  await loadGrafanaActivity(store);
  await loadOperationsData(store);
}

/** Values of variables with which no panel of that board is empty for want of a choice. */
export function boardValues(uid: string | undefined): Readonly<Record<string, string>> {
  const chosen = { trace_id: shop.traces[0] ?? '', session: shop.session, case_id: shop.case };
  return uid === 'spanwarden-agent' ? { ...chosen, agent: shop.agent } : chosen;
}

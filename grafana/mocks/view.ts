import type { Panel } from '@grafana/schema';
import type { Frame } from './frames.ts';

/** What is true for the whole page. */
export interface PageContext {
  readonly fromMs: number;
  readonly toMs: number;
  readonly nowMs: number;
  /** Current values of the dashboard's variables, and how they are shown where that differs. */
  readonly variables: Readonly<Record<string, string>>;
  readonly variableTexts: Readonly<Record<string, string>>;
  /** Uids of the dashboards that have a page. */
  readonly uids: ReadonlySet<string>;
  /** Moments that annotations mark. */
  readonly marks: readonly { readonly ms: number; readonly title: string; readonly colour: string }[];
}

/** One panel and what its queries found. */
export interface PanelView {
  readonly panel: Panel;
  readonly frames: readonly Frame[];
  readonly page: PageContext;
  /** Room inside the panel, in pixels. */
  readonly width: number;
  readonly height: number;
  /** Takes note of what cannot be meant so: an override without a column, a link to a field that is not there. */
  readonly problem: (text: string) => void;
}

/** A panel's options; what they hold depends on its kind. */
export function optionsOf({ panel }: PanelView): Readonly<Record<string, unknown>> {
  return (panel.options ?? {}) as Record<string, unknown>;
}

import {
  BarGaugeDisplayMode,
  BarGaugeNamePlacement,
  BarGaugeSizing,
  BarGaugeValueMode,
  type BigValueColorMode,
  BigValueGraphMode,
  BigValueJustifyMode,
  BigValueTextMode,
  type FieldConfig,
  type FieldConfigSource,
  GraphDrawStyle,
  type GraphFieldConfig,
  type GridPos,
  LegendDisplayMode,
  LogsDedupStrategy,
  LogsSortOrder,
  type Panel,
  PercentChangeColorMode,
  type RowPanel,
  SortOrder,
  StackingMode,
  TableCellHeight,
  TooltipDisplayMode,
  VizOrientation,
} from '@grafana/schema';
import type { Options as BarGaugeOptions } from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type { Options as LogsOptions } from '@grafana/schema/dist/esm/raw/composable/logs/panelcfg/x/LogsPanelCfg_types.gen';
import type { Options as NodeGraphOptions } from '@grafana/schema/dist/esm/raw/composable/nodegraph/panelcfg/x/NodeGraphPanelCfg_types.gen';
import type { Options as StatOptions } from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type { Options as TableOptions } from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type { Options as TimeSeriesOptions } from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import { clickHouseQuery, dataSource, type QueryFormat } from './query.ts';

/** A column that differs from the panel's defaults, by its name in the query's result. */
export type Override = FieldConfigSource['overrides'][number];

export interface PanelSpec {
  /** Unique in the dashboard, and kept: links to a panel name it. */
  readonly id: number;
  readonly title: string;
  /** Which question the panel answers, and what its figures mean. */
  readonly description: string;
  /** File in `queries/`, without its ending. */
  readonly query: string;
  readonly gridPos: GridPos;
  /** Shown in place of a value when there is none; says why that may be. */
  readonly noValue: string;
  readonly overrides?: readonly Override[];
}

const levelColours = {
  critical: 'dark-red',
  high: 'red',
  medium: 'orange',
  low: 'yellow',
  informational: 'blue',
} as const;

/** A large figure for each column of the only row. Columns keep the colour that an override gives them. */
export function statPanel(spec: PanelSpec & { readonly colorMode: BigValueColorMode }): Panel {
  const options: StatOptions = {
    colorMode: spec.colorMode,
    graphMode: BigValueGraphMode.None,
    justifyMode: BigValueJustifyMode.Auto,
    orientation: VizOrientation.Auto,
    percentChangeColorMode: PercentChangeColorMode.Standard,
    reduceOptions: { calcs: ['lastNotNull'], fields: '/.*/', values: false },
    showPercentChange: false,
    textMode: BigValueTextMode.ValueAndName,
    wideLayout: true,
  };
  return panel('stat', 'table', spec, { ...options }, { unit: 'short' });
}

/**
 * A panel over time. A column of texts names several series whose figures stand in a column `Value`: Grafana leaves that name out of
 * a legend.
 */
export interface SeriesSpec extends PanelSpec {
  /** Grafana's id of a unit; of bars counts by default. */
  readonly unit?: string;
  /** The narrowest bar or step, as Grafana writes it; of sums of five minutes `5m`. Default `1m`. */
  readonly interval?: string;
}

/** Stacked bars over time, one series for each column after `time`. */
export function barsPanel(spec: SeriesSpec): Panel {
  const custom: GraphFieldConfig = {
    drawStyle: GraphDrawStyle.Bars,
    fillOpacity: 80,
    lineWidth: 0,
    stacking: { mode: StackingMode.Normal, group: 'A' },
  };
  const defaults = spec.unit === undefined ? { unit: 'short' } : { unit: spec.unit };
  return seriesPanel(spec, 'sum', { ...defaults, min: 0, custom: { ...custom } });
}

/** Lines over time, one for each column after `time`; where there is no value, there is a gap. */
export function linesPanel(spec: SeriesSpec & { readonly unit: string; readonly max?: number }): Panel {
  const custom: GraphFieldConfig = { drawStyle: GraphDrawStyle.Line, fillOpacity: 10, lineWidth: 2, spanNulls: false };
  const ends = spec.max === undefined ? { min: 0 } : { min: 0, max: spec.max };
  return seriesPanel(spec, 'max', { unit: spec.unit, ...ends, custom: { ...custom } });
}

/** Properties that make a series a dashed line over the bars of the others. */
export const lineOverBars = {
  'custom.drawStyle': 'line',
  'custom.fillOpacity': 0,
  'custom.lineStyle': { fill: 'dash', dash: [8, 6] },
  'custom.lineWidth': 2,
  'custom.stacking': { mode: 'none' },
};

/** A bar for each column of the only row, below each other: how much of the first is left in the last. */
export function barGaugePanel(spec: PanelSpec): Panel {
  const options: BarGaugeOptions = {
    displayMode: BarGaugeDisplayMode.Basic,
    legend: { calcs: [], displayMode: LegendDisplayMode.Hidden, placement: 'bottom', showLegend: false },
    maxVizHeight: 300,
    minVizHeight: 16,
    minVizWidth: 8,
    namePlacement: BarGaugeNamePlacement.Left,
    orientation: VizOrientation.Horizontal,
    reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    showUnfilled: true,
    sizing: BarGaugeSizing.Auto,
    valueMode: BarGaugeValueMode.Text,
  };
  return panel('bargauge', 'table', spec, { ...options }, { unit: 'locale', min: 0 });
}

export function tablePanel(spec: PanelSpec): Panel {
  const options: TableOptions = { cellHeight: TableCellHeight.Sm, frameIndex: 0, showHeader: true };
  const overrides = [emptyCells, ...(spec.overrides ?? [])];
  return panel('table', 'table', { ...spec, overrides }, { ...options }, { custom: { align: 'auto', inspect: true } });
}

/** Grafana's own view of one trace. */
export function tracePanel(spec: PanelSpec): Panel {
  return panel('traces', 'traces', spec, {}, {});
}

/** Log lines, the oldest first. */
export function logsPanel(spec: PanelSpec): Panel {
  const options: LogsOptions = {
    dedupStrategy: LogsDedupStrategy.none,
    enableLogDetails: true,
    prettifyLogMessage: false,
    showCommonLabels: false,
    showLabels: false,
    showLogContextToggle: false,
    showTime: true,
    sortOrder: LogsSortOrder.Ascending,
    wrapLogMessage: true,
  };
  return panel('logs', 'logs', spec, { ...options }, {});
}

/**
 * Nodes out of `query` and edges between them out of `edgesQuery`; Grafana knows them by their names and columns.
 * https://grafana.com/docs/grafana/latest/panels-visualizations/visualizations/node-graph/
 */
export function nodeGraphPanel(spec: PanelSpec & { readonly edgesQuery: string }): Panel {
  const arcs = [
    { field: 'arc__failed', color: 'red' },
    { field: 'arc__passed', color: 'green' },
  ];
  const options: NodeGraphOptions = { nodes: { arcs }, edges: {} };
  const targets = [clickHouseQuery(spec.query, 'table', 'nodes'), clickHouseQuery(spec.edgesQuery, 'table', 'edges')];
  return {
    ...panel('nodeGraph', 'table', spec, { ...options }, {}),
    targets: targets.map((target) => ({ ...target })),
  };
}

/** Otherwise a cell or a series without a value, an empty text too, would say why the whole panel may be empty. */
const emptyCells: Override = {
  matcher: { id: 'byRegexp', options: '/.*/' },
  properties: [{ id: 'noValue', value: '–' }],
};

export function row(id: number, title: string, y: number): RowPanel {
  return { id, type: 'row', title, collapsed: false, gridPos: { x: 0, y, w: 24, h: 1 }, panels: [] };
}

/** Properties for one column. */
export function column(name: string, properties: Readonly<Record<string, unknown>>): Override {
  return {
    matcher: { id: 'byName', options: name },
    properties: Object.entries(properties).map(([id, value]) => ({ id, value })),
  };
}

/** The colour of each level on the series or figures that carry its name. */
export function levelSeriesColours(): Override[] {
  return Object.entries(levelColours).map(([level, fixedColor]) =>
    column(level, { color: { mode: 'fixed', fixedColor } }),
  );
}

type LevelName = keyof typeof levelColours;

/** As `levelSeriesColours`, but a figure that is zero stays quiet. @param levels those that are shown; default all. */
export function levelFigureColours(...levels: readonly LevelName[]): Override[] {
  const shown = levels.length === 0 ? (Object.keys(levelColours) as LevelName[]) : levels;
  return shown.map((level) => column(level, thresholds([null, 'text'], [1, levelColours[level]])));
}

/** Properties that colour a number by the steps it has reached; the first step is that of `null`, for all below the second. */
export function thresholds(...steps: readonly (readonly [from: number | null, color: string])[]) {
  return {
    color: { mode: 'thresholds' },
    thresholds: { mode: 'absolute', steps: steps.map(([value, color]) => ({ color, value })) },
  };
}

/** The colour of each level in a column of level names. */
export function levelColumn(name: string): Override {
  return wordColumn(name, levelColours, { 'custom.width': 115 });
}

/** The colour of a word in a column of a few words; others keep that of the text. */
export function wordColumn(
  name: string,
  colours: Readonly<Record<string, string>>,
  properties: Readonly<Record<string, unknown>> = {},
): Override {
  const words = Object.entries(colours).map(([text, color], index) => [text, { color, index, text }] as const);
  return column(name, {
    mappings: [{ type: 'value', options: Object.fromEntries(words) }],
    'custom.cellOptions': { type: 'color-text' },
    ...properties,
  });
}

/** Columns of whole numbers. */
export function countColumns(...names: readonly string[]): Override[] {
  return names.map((name) => column(name, { unit: 'locale', 'custom.width': 80 }));
}

/** Columns of moments, shown as how long ago they were. */
export function agoColumns(...names: readonly string[]): Override[] {
  return names.map((name) => column(name, { unit: 'dateTimeFromNow', 'custom.width': 130, ...orDash }));
}

/** Stands in a cell without a value; without it, what the whole panel says when it is empty would. */
export const orDash = { noValue: '–' };

/** Columns that only links read. Grafana has changed how it hides one; both ways are told. */
export function hiddenColumns(...names: readonly string[]): Override[] {
  const hideFrom = { viz: true, legend: false, tooltip: false };
  return names.map((name) => column(name, { 'custom.hidden': true, 'custom.hideFrom': hideFrom }));
}

/** Columns of parts of one, shown as percentages. */
export function shareColumns(...names: readonly string[]): Override[] {
  return names.map((name) => column(name, { unit: 'percentunit', decimals: 1, 'custom.width': 90 }));
}

/** Columns of durations in nanoseconds. */
export function durationColumns(...names: readonly string[]): Override[] {
  return names.map((name) => column(name, { unit: 'ns', decimals: 1, 'custom.width': 90 }));
}

/** Columns of long texts, which are wrapped. */
export function wrappedColumns(...names: readonly string[]): Override[] {
  return names.map((name) => column(name, { 'custom.cellOptions': { type: 'auto', wrapText: true } }));
}

function seriesPanel(spec: SeriesSpec, calculation: string, defaults: FieldConfig): Panel {
  const options: TimeSeriesOptions = {
    legend: { calcs: [calculation], displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: true },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  };
  const overrides = [emptyCells, ...(spec.overrides ?? [])];
  return {
    ...panel('timeseries', 'timeseries', { ...spec, overrides }, { ...options }, defaults),
    interval: spec.interval ?? '1m',
  };
}

function panel(
  type: string,
  format: QueryFormat,
  spec: PanelSpec,
  options: Record<string, unknown>,
  defaults: FieldConfig,
): Panel {
  const { id, title, description, gridPos, noValue, overrides = [] } = spec;
  return {
    id,
    type,
    title,
    description,
    datasource: dataSource,
    gridPos,
    fieldConfig: { defaults: { ...defaults, noValue }, overrides: [...overrides] },
    options,
    targets: [{ ...clickHouseQuery(spec.query, format) }],
  };
}

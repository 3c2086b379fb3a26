import {
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
  type Panel,
  PercentChangeColorMode,
  type RowPanel,
  SortOrder,
  StackingMode,
  TableCellHeight,
  TooltipDisplayMode,
  VizOrientation,
} from '@grafana/schema';
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
  return panel('stat', 'table', spec, { ...options }, { unit: 'short', decimals: 0 });
}

/** Stacked bars over time, one series for each column after `time`. */
export function barsPanel(spec: PanelSpec): Panel {
  const options: TimeSeriesOptions = {
    legend: { calcs: ['sum'], displayMode: LegendDisplayMode.List, placement: 'bottom', showLegend: true },
    tooltip: { mode: TooltipDisplayMode.Multi, sort: SortOrder.Descending },
  };
  const custom: GraphFieldConfig = {
    drawStyle: GraphDrawStyle.Bars,
    fillOpacity: 80,
    lineWidth: 0,
    stacking: { mode: StackingMode.Normal, group: 'A' },
  };
  const defaults = { unit: 'short', decimals: 0, min: 0, custom: { ...custom } };
  return { ...panel('timeseries', 'timeseries', spec, { ...options }, defaults), interval: '1m' };
}

export function tablePanel(spec: PanelSpec): Panel {
  const options: TableOptions = { cellHeight: TableCellHeight.Sm, frameIndex: 0, showHeader: true };
  return panel('table', 'table', spec, { ...options }, { custom: { align: 'auto', inspect: true } });
}

/** Grafana's own view of one trace. */
export function tracePanel(spec: PanelSpec): Panel {
  return panel('traces', 'traces', spec, {}, {});
}

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

/** As `levelSeriesColours`, but a figure that is zero stays quiet. */
export function levelFigureColours(): Override[] {
  return Object.entries(levelColours).map(([level, color]) =>
    column(level, {
      color: { mode: 'thresholds' },
      thresholds: {
        mode: 'absolute',
        steps: [
          { color: 'text', value: null },
          { color, value: 1 },
        ],
      },
    }),
  );
}

/** The colour of each level in a column of level names. */
export function levelColumn(name: string): Override {
  const options = Object.fromEntries(
    Object.entries(levelColours).map(([level, color], index) => [level, { color, index, text: level }]),
  );
  return column(name, {
    mappings: [{ type: 'value', options }],
    'custom.cellOptions': { type: 'color-text' },
    'custom.width': 115,
  });
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

import type { FieldConfig, Panel } from '@grafana/schema';
import { colourOf, paletteColour } from './colours.ts';
import type { Column, Frame } from './frames.ts';
import type { DataLink } from './links.ts';
import { formatNumber, formatTime } from './units.ts';
import type { PanelView } from './view.ts';

/** A column with what the panel's defaults and overrides say about it. */
export interface Field extends Column {
  readonly label: string;
  readonly config: FieldConfig;
  readonly custom: Readonly<Record<string, unknown>>;
  readonly links: readonly DataLink[];
  readonly hidden: boolean;
}

/** A value as it is shown. */
export interface Shown {
  readonly text: string;
  readonly colour?: string;
}

/** The fields of a frame after transformations and overrides, hidden ones included. */
export function fieldsOf(frame: Frame, { panel, problem }: PanelView): Field[] {
  return transformed(frame, panel, problem).columns.map((column) => fieldOf(column, frame, panel));
}

/** Overrides that meet no column of any frame; nothing is said while no query ran. */
export function unmetOverrides({ panel, frames }: PanelView): string[] {
  const columns = frames.flatMap(({ columns }) => columns);
  return (panel.fieldConfig?.overrides ?? [])
    .filter(({ matcher }) => matcher.id === 'byName' && columns.length > 0)
    .map(({ matcher }) => String(matcher.options))
    .filter((name) => !columns.some((column) => column.name === name))
    .map((name) => `an override is for the column ${name}, which the result does not have`);
}

/** The text and colour of one value. */
export function shown(field: Field, value: unknown, nowMs: number): Shown {
  const mapped = mappedValue(field.config, value);
  const text = mapped?.text ?? textOf(field, value, nowMs);
  const colour = mapped?.color ?? colourNameOf(field.config, value);
  return colour === undefined ? { text } : { text, colour: colourOf(colour) };
}

/** The colour of a series, bar or slice: its own, else the next of the palette. */
export function seriesColour({ config, values }: Field, index: number): string {
  const { mode, fixedColor } = config.color ?? {};
  if (mode === 'fixed') return colourOf(fixedColor);
  const last = values.findLast((value) => value !== null);
  const step = mode === 'thresholds' ? colourNameOf(config, last) : undefined;
  return step === undefined ? paletteColour(index) : colourOf(step);
}

type Mapped = { readonly text?: string; readonly color?: string };

function fieldOf(column: Column, frame: Frame, panel: Panel): Field {
  const config: Record<string, unknown> = { ...panel.fieldConfig?.defaults };
  const custom: Record<string, unknown> = { ...panel.fieldConfig?.defaults.custom };
  for (const { matcher, properties } of panel.fieldConfig?.overrides ?? []) {
    if (!matches(matcher, column, frame)) continue;
    for (const { id, value } of properties) {
      if (id.startsWith('custom.')) custom[id.slice('custom.'.length)] = value;
      else config[id] = value;
    }
  }
  const { displayName, links } = config as { displayName?: string; links?: DataLink[] };
  const hideFrom = custom.hideFrom as { viz?: boolean } | undefined;
  const hidden = custom.hidden === true || hideFrom?.viz === true;
  const label = displayName === undefined || displayName === '' ? column.name : displayName;
  return { ...column, label, config, custom, links: links ?? [], hidden };
}

function matches(matcher: { id: string; options?: unknown }, { name, kind }: Column, { refId }: Frame): boolean {
  switch (matcher.id) {
    case 'byName':
      return matcher.options === name;
    case 'byRegexp': {
      const pattern = String(matcher.options);
      return new RegExp(pattern.replace(/^\/(.*)\/$/, '$1')).test(name);
    }
    case 'byType':
      return matcher.options === (kind === 'text' ? 'string' : kind);
    case 'byFrameRefID':
      return matcher.options === refId;
    case 'byNames':
      return ((matcher.options as { names?: string[] }).names ?? []).includes(name);
    default:
      return false;
  }
}

/** `organize` only; what else a panel asks for is said, so that nobody trusts the picture in that. */
function transformed(frame: Frame, panel: Panel, problem: (text: string) => void): Frame {
  let columns = [...frame.columns];
  for (const { id, options } of panel.transformations ?? []) {
    if (id !== 'organize') {
      problem(`the mock does not know the transformation ${id}`);
      continue;
    }
    const { excludeByName = {}, renameByName = {}, indexByName = {} } = options as OrganizeOptions;
    for (const name of [...Object.keys(excludeByName), ...Object.keys(renameByName)]) {
      if (!frame.columns.some((column) => column.name === name)) problem(`organize names ${name}, which is no column`);
    }
    columns = columns
      .filter(({ name }) => excludeByName[name] !== true)
      .sort((a, b) => (indexByName[a.name] ?? 0) - (indexByName[b.name] ?? 0))
      .map((column) => ({ ...column, name: renameByName[column.name] || column.name }));
  }
  return { ...frame, columns };
}

interface OrganizeOptions {
  readonly excludeByName?: Readonly<Record<string, boolean>>;
  readonly renameByName?: Readonly<Record<string, string>>;
  readonly indexByName?: Readonly<Record<string, number>>;
}

function textOf({ kind, config }: Field, value: unknown, nowMs: number): string {
  // Grafana says it in every empty cell, an empty text included.
  if (value === null || value === undefined || value === '') return config.noValue ?? '';
  // A number with a unit of time, as a first or last moment in milliseconds.
  const isMoment = kind === 'time' || (kind === 'number' && (config.unit ?? '').startsWith('dateTime'));
  if (isMoment) return formatTime(Number(value), config.unit, nowMs);
  if (kind === 'number') return formatNumber(Number(value), config.unit, config.decimals);
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function mappedValue({ mappings = [] }: FieldConfig, value: unknown): Mapped | undefined {
  for (const mapping of mappings) {
    const found = mappingResult(mapping as Mapping, value);
    if (found !== undefined) return found;
  }
  return undefined;
}

type Mapping =
  | { type: 'value'; options: Readonly<Record<string, Mapped>> }
  | { type: 'range'; options: { from: number | null; to: number | null; result: Mapped } }
  | { type: 'regex'; options: { pattern: string; result: Mapped } }
  | { type: 'special'; options: { match: string; result: Mapped } };

function mappingResult(mapping: Mapping, value: unknown): Mapped | undefined {
  switch (mapping.type) {
    case 'value': {
      const { options } = mapping;
      return value !== null && Object.hasOwn(options, String(value)) ? options[String(value)] : undefined;
    }
    case 'range': {
      const { from, to, result } = mapping.options;
      const fits = typeof value === 'number' && value >= (from ?? -Infinity) && value <= (to ?? Infinity);
      return fits ? result : undefined;
    }
    case 'regex': {
      const { pattern, result } = mapping.options;
      return new RegExp(pattern.replace(/^\/(.*)\/$/, '$1')).test(String(value)) ? result : undefined;
    }
    case 'special': {
      const { match, result } = mapping.options;
      const fits =
        (match.includes('null') && value === null) ||
        (match.includes('nan') && Number.isNaN(value)) ||
        (match === 'empty' && value === '') ||
        (match === 'true' && value === true) ||
        (match === 'false' && value === false);
      return fits ? result : undefined;
    }
  }
}

function colourNameOf({ color, thresholds }: FieldConfig, value: unknown): string | undefined {
  if (color?.mode === 'fixed') return color.fixedColor;
  if (thresholds === undefined || (color?.mode ?? 'thresholds') !== 'thresholds') return undefined;
  if (typeof value !== 'number') return undefined;
  return thresholds.steps.findLast((step) => step.value === null || value >= step.value)?.color;
}

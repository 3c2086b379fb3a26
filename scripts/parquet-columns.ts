// The columns of Parquet files, as texts for pages and statements.
import { ocsfColumns } from '../collector/src/export/parquet/ocsf-columns.ts';
import type { Shape, Shapes } from '../collector/src/export/parquet/shape.ts';

/** The type of a column in the words of Athena and Hive. Names are quoted, as some of them are reserved. */
export function athenaType(shape: Shape): string {
  if (shape === 'json') return 'string';
  if (shape === 'map') return 'map<string,string>';
  if (typeof shape === 'string') return shape;
  if ('list' in shape) return `array<${athenaType(shape.list)}>`;
  const members = Object.entries(shape.struct).map(([name, member]) => `\`${name}\`:${athenaType(member)}`);
  return `struct<${members.join(',')}>`;
}

/** What a page says of a leaf of the columns. */
export interface Leaf {
  /** `[]` stands behind what is a list. */
  readonly path: string;
  readonly type: string;
  /** The first version of OCSF that has it, '' for all. */
  readonly since: string;
}

/** All leaves of the columns of OCSF. */
export function ocsfLeaves(): Leaf[] {
  const older = (['1.1', '1.8'] as const).map(
    (version) => new Set(leavesOf(ocsfColumns(version)).map(([path]) => path)),
  );
  return leavesOf(ocsfColumns('1.9')).map(([path, type]) => ({
    ...{ path, type },
    since: older[0]?.has(path) ? '' : older[1]?.has(path) ? '1.8' : '1.9',
  }));
}

function leavesOf(shapes: Shapes, way = ''): [string, string][] {
  return Object.entries(shapes).flatMap(([name, shape]) => leaves(shape, way + name));
}

function leaves(shape: Shape, path: string): [string, string][] {
  if (shape === 'json') return [[path, 'string, JSON']];
  if (typeof shape === 'string') return [[path, athenaType(shape)]];
  return 'list' in shape ? leaves(shape.list, `${path}[]`) : leavesOf(shape.struct, `${path}.`);
}

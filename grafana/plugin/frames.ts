import type { Store } from '../../collector/src/store/index.ts';
import { boardValues } from '../../test/support/grafana-boards-data.ts';
import { now, traceId } from '../../test/support/grafana-data.ts';
import { expandQuery } from '../../test/support/grafana-macros.ts';
import { alertGroups } from '../alerts/provisioning.ts';
import { alertSql } from '../alerts/spec.ts';
import { dashboards } from '../generate.ts';
import { queriesOf } from '../queries-of.ts';
import type { Generated } from './explore.ts';
import { type Framed, framesByGo } from './go.ts';

interface Asked {
  readonly name: string;
  readonly sql: string;
  /** As of the data source: 0 a time series, 1 a table. */
  readonly format: number;
  /** What is wrong with the frame, beside an error. */
  readonly wrong: (frame: Framed) => string | undefined;
}

const range = { from: new Date(now - 3_600_000), to: new Date(now + 60_000), intervalMs: 60_000 };

/**
 * Whether the data source's driver and converters make what Grafana wants of every query: of dashboards, of alerts and of
 * those that it generates itself, over HTTP and over ClickHouse's native protocol. Says what is wrong on stdout.
 */
export function framesAreMade(checkout: string, store: Store, generated: readonly Generated[]): boolean {
  const asked = [...askedByDashboards(), ...askedByAlerts(), ...askedByItself(generated)];
  let failures = 0;
  for (const isHttp of [true, false]) {
    framesByGo(checkout, store, isHttp, asked).forEach((frame, index) => {
      const why = frame.error ?? asked[index]?.wrong(frame);
      if (why === undefined) return;
      failures += 1;
      process.stdout.write(`${asked[index]?.name} over ${isHttp ? 'HTTP' : 'the native protocol'}: ${why}\n`);
    });
  }
  process.stdout.write(`${2 * asked.length} frames asked for, ${failures} are wrong\n`);
  return failures === 0;
}

function askedByDashboards(): Asked[] {
  const boards = Object.values(dashboards).map((make) => make());
  return boards.flatMap((board) =>
    queriesOf(board).map(({ name, sql, format, variables }) => ({
      ...{ name, sql: expandQuery(sql, { ...range, variables: { ...variables, ...boardValues(board.uid) } }), format },
      wrong: unreadable,
    })),
  );
}

function askedByAlerts(): Asked[] {
  return alertGroups
    .flatMap(({ alerts }) => alerts)
    .map((spec) => ({ name: spec.uid, sql: alertSql(spec.query), format: 1, wrong: noNumberTable }));
}

function askedByItself(generated: readonly Generated[]): Asked[] {
  return generated
    .filter(({ what }) => !/^View logs|quote$/.test(what))
    .map(({ source, what, sql }) => ({
      name: `${source} ${what}`,
      sql: expandQuery(sql.replaceAll('${__value.raw}', traceId), { ...range, variables: {} }),
      format: what === 'LogsVolume' ? 0 : 1,
      wrong: unreadable,
    }));
}

/** Types that nothing is known of become JSON. */
function unreadable({ fields = [] }: Framed): string | undefined {
  const strange = fields.filter(({ type, column = '' }) => !/^(Array|Map|Tuple)/.test(column) && /json/i.test(type));
  return strange.length === 0 ? undefined : strange.map(({ name, column }) => `${name} is ${column}`).join();
}

/**
 * Of a table Grafana's alerting takes labels and a number: one column is a number, all others are texts. Over HTTP a result
 * without rows has no columns, and is no data.
 * https://github.com/grafana/grafana/blob/main/pkg/expr/convert.go
 */
function noNumberTable({ fields = [], rows }: Framed): string | undefined {
  if (rows === 0 && fields.length === 0) return undefined;
  const numbers = fields.filter(({ type }) => /^\*?(u?int|float)\d+$/.test(type));
  const texts = fields.filter(({ type }) => /^\*?string$/.test(type));
  const isTable = numbers.length === 1 && numbers.length + texts.length === fields.length;
  return isTable ? undefined : `no table of numbers: ${fields.map(({ name, type }) => `${name} ${type}`).join()}`;
}

import type { OcsfVersion } from '../formats/ocsf-version.ts';
import type { Shape, Shapes } from './shape.ts';

/**
 * The columns of OCSF Detection Findings, as `formats/ocsf.ts` writes them: the attributes under their names, objects as structs.
 * Times are milliseconds since the epoch, as in the JSON. `count` is wider than OCSF's integer, so that no number is too large.
 */
export function ocsfColumns(version: OcsfVersion): Shapes {
  return {
    activity_id: 'int',
    activity_name: 'string',
    category_uid: 'int',
    category_name: 'string',
    class_uid: 'int',
    class_name: 'string',
    type_uid: 'bigint',
    type_name: 'string',
    severity_id: 'int',
    severity: 'string',
    status_id: 'int',
    status: 'string',
    time: 'bigint',
    timezone_offset: 'int',
    message: 'string',
    ...since('1.8', version, { is_alert: 'boolean' }),
    start_time: 'bigint',
    end_time: 'bigint',
    count: 'bigint',
    finding_info: { struct: findingInfo(version) },
    evidences: { list: { struct: evidence(version) } },
    resources: { list: { struct: texts('name', 'uid', 'type') } },
    observables: { list: { struct: { name: 'string', type_id: 'int', type: 'string', value: 'string' } } },
    unmapped: 'map',
    metadata: {
      struct: {
        version: 'string',
        product: { struct: texts('name', 'vendor_name', 'version') },
        ...texts('uid', 'correlation_uid', 'log_name', 'log_provider'),
        logged_time: 'bigint',
        original_time: 'string',
        labels: { list: 'string' },
        ...since('1.8', version, { is_truncated: 'boolean' }),
      },
    },
  };
}

function findingInfo(version: OcsfVersion): Shapes {
  const analytic: Shape = { struct: { ...texts('uid', 'name', 'version'), type_id: 'int', type: 'string' } };
  const technique: Shape = { struct: texts('uid', 'src_url') };
  return {
    ...texts('uid', 'title', 'desc'),
    types: { list: 'string' },
    first_seen_time: 'bigint',
    last_seen_time: 'bigint',
    modified_time: 'bigint',
    src_url: 'string',
    data_sources: { list: 'string' },
    analytic,
    related_analytics: { list: analytic },
    attacks: {
      list: { struct: { technique, sub_technique: technique, tactic: { struct: texts('uid', 'name', 'src_url') } } },
    },
    related_events: {
      list: {
        struct: {
          ...{ uid: 'string', type: 'string', type_uid: 'bigint' },
          ...since('1.8', version, {
            ...{ title: 'string', severity_id: 'int', severity: 'string', count: 'bigint' },
            ...{ first_seen_time: 'bigint', last_seen_time: 'bigint' },
          }),
        },
      },
    },
  };
}

function evidence(version: OcsfVersion): Shapes {
  return {
    ...since('1.8', version, { name: 'string' }),
    data: 'json',
    actor: { struct: { user: { struct: texts('uid') } } },
    api: { struct: { operation: 'string', service: { struct: texts('name') } } },
    ...since('1.9', version, {
      ai_agent: { struct: { ...texts('uid', 'name', 'instance_uid'), type_id: 'int', type: 'string' } },
    }),
  };
}

function texts(...names: readonly string[]): Shapes {
  return Object.fromEntries(names.map((name) => [name, 'string']));
}

/** What a version has that those before it have not. */
function since(first: OcsfVersion, version: OcsfVersion, shapes: Shapes): Shapes {
  return Number(version) >= Number(first) ? shapes : {};
}

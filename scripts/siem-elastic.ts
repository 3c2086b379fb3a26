// The index template and the ingest pipeline for Elasticsearch, out of the fields that the format writes.
import { type EcsField, ecsFields, ecsVersion } from '../collector/src/export/formats/ecs-fields.ts';

const folder = 'collector/siem/elastic';
const pipeline = 'spanwarden.findings';

/** The files by path. */
export const elasticFiles: Readonly<Record<string, () => string>> = {
  [`${folder}/index-template.json`]: () => json(indexTemplate()),
  [`${folder}/ingest-pipeline.json`]: () => json(ingestPipeline()),
};

interface Mapping {
  type?: string;
  ignore_above?: number;
  properties?: Record<string, Mapping>;
}

function indexTemplate(): unknown {
  return {
    index_patterns: ['logs-spanwarden.findings-*'],
    data_stream: {},
    // Above the template of logs-*-*, which has 100.
    priority: 200,
    template: {
      settings: { index: { default_pipeline: pipeline } },
      mappings: {
        dynamic: 'true',
        date_detection: false,
        dynamic_templates: [{ labels: { path_match: 'labels.*', mapping: { type: 'keyword', ignore_above: 1024 } } }],
        properties: properties(),
      },
    },
    _meta: { description: 'Findings and cases of Spanwarden', ecs_version: ecsVersion },
  };
}

function properties(): Record<string, Mapping> {
  const root: Mapping = { properties: {} };
  for (const field of ecsFields) put(root, field.path.split('.'), mapping(field));
  put(root, ['event', 'ingested'], { type: 'date' });
  return root.properties ?? {};
}

/** A keyword of more than 32,766 bytes would cost the whole document. */
function mapping({ type }: EcsField): Mapping {
  if (type === 'keyword') return { type, ignore_above: 1024 };
  return type === 'wildcard' ? { type, ignore_above: 8191 } : { type };
}

function put(into: Mapping, [name, ...rest]: readonly string[], value: Mapping): void {
  if (name === undefined) return;
  into.properties ??= {};
  const inner = rest.length === 0 ? value : (into.properties[name] ?? {});
  into.properties[name] = inner;
  put(inner, rest, value);
}

/** When Elastic got it: rules that look back over what was ingested miss no finding that came late. */
function ingestPipeline(): unknown {
  return {
    description: 'Findings and cases of Spanwarden',
    processors: [{ set: { field: 'event.ingested', value: '{{{_ingest.timestamp}}}' } }],
    on_failure: [{ set: { field: 'error.message', value: '{{{_ingest.on_failure_message}}}' } }],
  };
}

function json(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}

import type { PageContext } from './view.ts';

/** Reads a field of the row that a link stands in; undefined when the result has no such field. */
export type FieldReader = (name: string) => unknown;

export interface DataLink {
  readonly title: string;
  readonly url: string;
}

/**
 * A title or an address with its variables filled in, in Grafana's formats.
 * https://grafana.com/docs/grafana/latest/panels-visualizations/configure-data-links/
 *
 * @param missing is told the names of fields that the row does not have.
 */
export function interpolate(
  text: string,
  page: PageContext,
  field: FieldReader = () => undefined,
  missing: (name: string) => void = () => {},
): string {
  return text.replace(
    /\$\{([^}:]+)(?::(\w+))?\}|\$(\w+)/g,
    (whole, braced?: string, format?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      const value = referenced(name, page, field, missing);
      if (value === undefined) return whole;
      return format === 'queryparam' ? `var-${name}=${encodeURIComponent(value)}` : formatted(value, format);
    },
  );
}

/** A title, in which variables stand as people see them. */
export function interpolateTitle(text: string, page: PageContext): string {
  return interpolate(text, { ...page, variables: { ...page.variables, ...page.variableTexts } });
}

/** Where a link to another dashboard leads among the mock pages; undefined for any other address. */
export function pageOf(url: string, { uids }: PageContext): string | undefined {
  const uid = /^\/d\/([\w-]+)/.exec(url)?.[1];
  return uid !== undefined && uids.has(uid) ? `${uid}.html` : undefined;
}

function referenced(
  name: string,
  page: PageContext,
  field: FieldReader,
  missing: (name: string) => void,
): string | undefined {
  if (name === '__url_time_range') return `from=${page.fromMs}&to=${page.toMs}`;
  if (name === '__all_variables') return Object.entries(page.variables).map(queryParameter).join('&');
  if (name === '__from') return String(page.fromMs);
  if (name === '__to') return String(page.toMs);
  if (name === '__value.raw' || name === '__value.text') return String(field('') ?? '');
  const named = /^__data\.fields(?:\["([^"]+)"\]|\['([^']+)'\]|\.(\w+))/.exec(name);
  const fieldName = named?.[1] ?? named?.[2] ?? named?.[3];
  if (fieldName !== undefined) {
    const value = field(fieldName);
    if (value === undefined) missing(fieldName);
    return String(value ?? '');
  }
  return page.variables[name];
}

function queryParameter([name, value]: [string, string]): string {
  return `var-${name}=${encodeURIComponent(value)}`;
}

function formatted(value: string, format: string | undefined): string {
  return format === 'percentencode' ? encodeURIComponent(value) : value;
}

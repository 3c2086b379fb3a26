/** A JSON Schema of draft 7, which is what YAML plug-ins of editors read. */
export type Schema = { readonly [key: string]: unknown } | boolean;

export function text(description: string, more: object = {}): Schema {
  return { type: 'string', description, ...more };
}

export function choice(values: readonly string[], description: string): Schema {
  return { enum: values, description };
}

/** One of the values, or a list of them. */
export function several(values: readonly string[], description: string): Schema {
  return { description, anyOf: [{ enum: values }, { type: 'array', items: { enum: values } }] };
}

/** Texts, one or several; `texts` is a definition of the schema this goes into. */
export function names(description: string): Schema {
  return { description, anyOf: [{ type: 'string' }, { $ref: '#/definitions/texts' }] };
}

/** A timespan such as 10m. */
export function timespan(description: string): Schema {
  return text(`${description} A number with s, m, h, d or w.`, { pattern: '^[0-9]{1,9}[smhdw]$' });
}

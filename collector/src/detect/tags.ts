/** What is wrong with a tag of a name space we know, or undefined. */
export function tagProblem(tag: string): string | undefined {
  const [space, ...rest] = tag.split('.');
  const name = rest.join('.');
  if (space === 'owasp' && !/^(?:llm|asi|mcp)(?:0[1-9]|10)$/.test(name)) {
    return `\`${tag}\`: OWASP lists run from llm01, asi01 and mcp01 to 10`;
  }
  if (space === 'atlas' && !atlasIds.has(name))
    return `\`${tag}\` is not in the table of ATLAS ids (data ${atlasVersion})`;
  if (space !== undefined && !spaces.has(space)) return `\`${tag}\`: unknown name space ${space}`;
  return undefined;
}

const spaces = new Set(['owasp', 'atlas', 'attack', 'car', 'cve', 'd3fend', 'detection', 'stp', 'tlp']);

/** MITRE ATLAS changes monthly; ids are checked against this version of its data. */
export const atlasVersion = '5.6';

const atlasIds: ReadonlySet<string> = new Set(
  [
    [
      '0008.005',
      '0010',
      '0010.005',
      '0011',
      '0011.001',
      '0024.000',
      '0025',
      '0031',
      '0034.000',
      '0034.001',
      '0034.002',
    ],
    ['0037', '0040', '0049', '0050', '0051', '0051.000', '0051.001', '0053', '0054', '0055', '0056', '0057', '0060'],
    [
      '0061',
      '0068',
      '0069.000',
      '0069.002',
      '0070',
      '0072',
      '0073',
      '0074',
      '0077',
      '0080.000',
      '0081',
      '0082',
      '0083',
    ],
    ['0085', '0085.001', '0086', '0091.000', '0094', '0098', '0099', '0101', '0102', '0103', '0105', '0109', '0110'],
  ].flatMap((ids) => ids.map((id) => `aml.t${id}`)),
);

// What Sigma tags say in the words of MITRE: https://github.com/SigmaHQ/sigma-specification/blob/main/specification/sigma-appendix-tags.md

/** A technique of MITRE ATT&CK or MITRE ATLAS. */
export interface Technique {
  readonly framework: 'MITRE ATT&CK' | 'MITRE ATLAS';
  /** `T1059`, `AML.T0051`: without its sub-technique. */
  readonly id: string;
  /** `T1059.001`, `AML.T0051.001`; '' where the tag names the technique as a whole. */
  readonly subId: string;
  /** The page of what the tag names. */
  readonly url: string;
}

/** A tactic of MITRE ATT&CK. */
export interface Tactic {
  readonly framework: 'MITRE ATT&CK' | 'MITRE ATLAS';
  /** `TA0002`, `AML.TA0002`. */
  readonly id: string;
  /** As MITRE writes it; '' for ATLAS, whose tags are ids. */
  readonly name: string;
  readonly url: string;
}

/** The techniques that tags name (`attack.t1059.001`, `atlas.aml.t0051`), in their order, each once. */
export function techniquesOf(tags: readonly string[]): Technique[] {
  return unique(tags.map(techniqueOf), (technique) => technique.subId || technique.id);
}

/** The tactics that tags name (`attack.execution`, `attack.ta0002`, `atlas.aml.ta0002`), in their order, each once. */
export function tacticsOf(tags: readonly string[]): Tactic[] {
  return unique(tags.map(tacticOf), ({ id }) => id);
}

function techniqueOf(tag: string): Technique | undefined {
  const [, attack, attackSub] = /^attack\.t(\d{4})(?:\.(\d{3}))?$/i.exec(tag) ?? [];
  if (attack !== undefined) {
    const id = `T${attack}`;
    const url = `https://attack.mitre.org/techniques/${id}${attackSub === undefined ? '' : `/${attackSub}`}/`;
    return { framework: 'MITRE ATT&CK', id, subId: attackSub === undefined ? '' : `${id}.${attackSub}`, url };
  }
  const [, atlas, atlasSub] = /^atlas\.aml\.t(\d{4})(?:\.(\d{3}))?$/i.exec(tag) ?? [];
  if (atlas === undefined) return undefined;
  const id = `AML.T${atlas}`;
  const subId = atlasSub === undefined ? '' : `${id}.${atlasSub}`;
  return { framework: 'MITRE ATLAS', id, subId, url: `https://atlas.mitre.org/techniques/${subId || id}` };
}

function tacticOf(tag: string): Tactic | undefined {
  const [, word] = /^attack\.([a-z_-]+|ta\d{4})$/i.exec(tag) ?? [];
  const [, atlas] = /^atlas\.aml\.ta(\d{4})$/i.exec(tag) ?? [];
  if (atlas !== undefined) {
    const id = `AML.TA${atlas}`;
    return { framework: 'MITRE ATLAS', id, name: '', url: `https://atlas.mitre.org/tactics/${id}` };
  }
  const found = tacticsByWord.get(word?.toLowerCase().replaceAll('_', '-') ?? '');
  if (found === undefined) return undefined;
  const [id, name] = found;
  return { framework: 'MITRE ATT&CK', id, name, url: `https://attack.mitre.org/tactics/${id}/` };
}

/** https://attack.mitre.org/tactics/enterprise/ */
const attackTactics: readonly (readonly [string, string])[] = [
  ['TA0043', 'Reconnaissance'],
  ['TA0042', 'Resource Development'],
  ['TA0001', 'Initial Access'],
  ['TA0002', 'Execution'],
  ['TA0003', 'Persistence'],
  ['TA0004', 'Privilege Escalation'],
  ['TA0005', 'Defense Evasion'],
  ['TA0006', 'Credential Access'],
  ['TA0007', 'Discovery'],
  ['TA0008', 'Lateral Movement'],
  ['TA0009', 'Collection'],
  ['TA0011', 'Command and Control'],
  ['TA0010', 'Exfiltration'],
  ['TA0040', 'Impact'],
];

const tacticsByWord = new Map(
  attackTactics.flatMap((tactic) => [[tactic[0].toLowerCase(), tactic] as const, [slug(tactic[1]), tactic] as const]),
);

function slug(name: string): string {
  return name.toLowerCase().replaceAll(' ', '-');
}

function unique<Value>(values: readonly (Value | undefined)[], keyOf: (value: Value) => string): Value[] {
  const byKey = new Map(values.filter((value) => value !== undefined).map((value) => [keyOf(value), value]));
  return [...byKey.values()];
}

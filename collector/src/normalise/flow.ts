import type { Value } from '../model/value.ts';
import { type EffectKind, effectKinds, sinkKinds } from './effects.ts';
import { walkScalars } from './json-value.ts';
import { findEmails, findUrls, urlHost } from './network.ts';

/** A tool call the model asked for. */
export interface ProposedCall {
  readonly name: string;
  readonly arguments: Value;
}

/** Argument values of proposed sink calls that only untrusted text of the same model call contains. */
export interface UntrustedFlow {
  /** `tool.argument=value`, values cut at 80 characters. */
  readonly arguments: readonly string[];
  /** Those of them that say where to: URLs, hosts, e-mail addresses, account numbers. */
  readonly destinations: readonly string[];
  /** Effects of the calls concerned. */
  readonly sinkKinds: readonly EffectKind[];
}

const none: UntrustedFlow = { arguments: [], destinations: [], sinkKinds: [] };
const itemsMax = 64;

/**
 * Provenance within one model call: a value that a tool result or document of this call brought in, that neither the user
 * nor the system text contains, and that the model now puts into a call with consequences.
 *
 * @param untrusted texts of new tool results and documents
 * @param trusted texts of the user (all of the conversation) and of the system; asked only when something came from the others
 */
export function untrustedFlow(
  calls: readonly ProposedCall[],
  untrusted: readonly string[],
  trusted: () => readonly string[],
): UntrustedFlow {
  if (calls.length === 0 || untrusted.length === 0) return none;
  let [from, known]: (string | undefined)[] = [];
  const isFlow = (text: string): boolean => {
    from ??= untrusted.join('\n').toLowerCase();
    if (!from.includes(text)) return false;
    known ??= trusted().join('\n').toLowerCase();
    return !known.includes(text);
  };
  const args = new Set<string>();
  const destinations = new Set<string>();
  const kinds = new Set<EffectKind>();
  for (const call of calls) {
    const sinks = effectKinds(call.name, call.arguments).filter((kind) => sinkKinds.has(kind));
    if (sinks.length === 0) continue;
    walkScalars(call.arguments, (scalar, path) => {
      for (const carrier of carriers(String(scalar))) {
        if (args.size >= itemsMax || !isFlow(carrier.text)) continue;
        const item = `${call.name}.${path}=${carrier.text.slice(0, 80)}`;
        args.add(item);
        if (carrier.destination) destinations.add(item);
        for (const kind of sinks) kinds.add(kind);
      }
    });
  }
  return { arguments: [...args], destinations: [...destinations], sinkKinds: [...kinds] };
}

interface Carrier {
  readonly text: string;
  readonly destination: boolean;
}

/** The parts of a value that identify something, lower case: ordinary words say nothing about where a value came from. */
function carriers(value: string): Carrier[] {
  const found: Carrier[] = [];
  const destination = (text: string | undefined) => {
    if (text) found.push({ text: text.toLowerCase(), destination: true });
  };
  for (const url of findUrls(value)) {
    destination(url);
    destination(urlHost(url));
  }
  for (const email of findEmails(value)) destination(email);
  const whole = value.trim();
  if (/^(?=[^\s]*\.)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,6}$/i.test(whole) && /[a-z]/i.test(whole))
    destination(whole);
  if (/^[A-Z]{2}\d{2}[A-Z0-9 ]{11,34}$/.test(whole)) destination(whole);
  else if (/^[\w.#-]{4,64}$/.test(whole) && /\d/.test(whole))
    found.push({ text: whole.toLowerCase(), destination: false });
  return found;
}

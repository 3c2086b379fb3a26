import type { Shared } from '../compile.ts';
import type { Rule } from '../load.ts';
import type { Cursor } from '../reader.ts';
import { type Candidates, createCandidates } from './candidates.ts';
import { witnessesOf } from './witness.ts';

/**
 * Which rules to test on the span that the cursor stands on, by their places in the list, ascending: those of its categories
 * for which it shows a witness. It may name too many, never too few.
 */
export type Router = (categories: number, cursor: Cursor) => readonly number[];

export interface RouterOptions extends Shared {
  /** Rules that are run in another way. */
  readonly skip?: (rule: Rule) => boolean;
}

export function createRouter(rules: readonly Rule[], { skip, ...shared }: RouterOptions): Router {
  const witnesses = rules.map(({ detection }) => witnessesOf(detection));
  // All literals have to be known before the first scan; the routes are made when their categories first occur.
  for (const each of witnesses)
    for (const witness of each ?? []) {
      if (witness.literal !== undefined) shared.scanner.add(witness.literal);
      shared.screen.add(witness);
    }
  const routes = new Map<number, Route>();
  return (categories, cursor) => {
    let route = routes.get(categories);
    if (route === undefined) {
      const places = rules.flatMap((rule, place) =>
        (rule.categories & categories) === 0 || skip?.(rule) ? [] : [place],
      );
      route = { places, candidates: createCandidates({ places, witnesses, ...shared }) };
      routes.set(categories, route);
    }
    try {
      return route.candidates(cursor);
    } catch {
      // A field that cannot be read is to cost only the rules that name it: each is asked, and fails for itself.
      return route.places;
    }
  };
}

/** The rules of the same categories. */
interface Route {
  readonly places: readonly number[];
  readonly candidates: Candidates;
}

/** Suggests the name that was probably meant where one is unknown. */
import { closest, distance } from "fastest-levenshtein";

const letters = (name: string): string => name.toLowerCase().replace(/[^\p{Letter}\p{Number}/]/gu, "");

/**
 * Returns the known names, at most two, that a name probably means: those that it begins or that begin with it, the shortest first, or
 * the one that differs in the fewest letters; none if nothing is close.
 */
export function closestNames(given: string, known: readonly string[]): string[] {
  const wanted = letters(given);
  if (wanted.length < 2 || known.length === 0) return [];
  const byLetters = new Map(known.map((name) => [letters(name), name]));
  const related = [...byLetters.keys()].filter((name) => name.startsWith(wanted) || wanted.startsWith(name));
  if (related.length > 0)
    return related
      .sort((a, b) => a.length - b.length)
      .slice(0, 2)
      .map((name) => byLetters.get(name) ?? name);
  const nearest = closest(wanted, [...byLetters.keys()]);
  // Two swapped letters are a distance of 2.
  const maxDistance = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 4));
  return distance(wanted, nearest) <= maxDistance ? [byLetters.get(nearest) ?? nearest] : [];
}

/** Returns "did you mean positions?"; empty if no name is close. */
export function didYouMean(given: string, known: readonly string[]): string {
  const names = closestNames(given, known);
  return names.length === 0 ? "" : `did you mean ${names.join(" or ")}?`;
}

/** Returns the end of a message about an unknown name: "; did you mean main? accounts: main, hedge", or "; accounts: main, hedge". */
export function knownNames(plural: string, given: string, known: readonly string[], meant = didYouMean): string {
  const suggestion = meant(given, known);
  return `; ${suggestion}${suggestion && " "}${plural}: ${known.join(", ")}`;
}

/** Suggests the name that was probably meant where one is unknown. */
import { distance } from "fastest-levenshtein";

const letters = (name: string): string => name.toLowerCase().replace(/[^\p{Letter}\p{Number}/]/gu, "");

/** Returns the number of letters in which two names differ; two that are swapped count as one. */
function difference(given: string, name: string): number {
  const swapped = [...given.slice(1)].map(
    (letter, at) => `${given.slice(0, at)}${letter}${given[at]}${given.slice(at + 2)}`,
  );
  return Math.min(distance(given, name), ...swapped.map((one) => 1 + distance(one, name)));
}

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
  const [nearest] = [...byLetters.keys()]
    .map((name) => ({ name, letters: difference(wanted, name) }))
    .sort((a, b) => a.letters - b.letters);
  const most = wanted.length < 4 ? 1 : Math.max(2, Math.floor(wanted.length / 4));
  return nearest && nearest.letters <= most ? [byLetters.get(nearest.name) ?? nearest.name] : [];
}

/** Returns "did you mean positions?"; empty if no name is close. */
export const didYouMean = (given: string, known: readonly string[]): string => meantText(closestNames(given, known));

/** Returns the same for views, of which `positons` means those of `positions`, such as `positions_history`. */
export function viewsMeant(given: string, known: readonly string[]): string {
  const close = closestNames(given, known);
  if (close.length > 0) return meantText(close);
  const [subject] = closestNames(given, [...new Set(known.map(subjectOf))]);
  return meantText(known.filter((name) => subjectOf(name) === subject));
}

const subjectOf = (view: string): string => view.replace(/_(history|latest)$/, "");

const meantText = (names: readonly string[]): string =>
  names.length === 0 ? "" : `did you mean ${names.join(" or ")}?`;

/** Returns the end of a message about an unknown name: "; did you mean main? accounts: main, hedge", or "; accounts: main, hedge". */
export function knownNames(plural: string, given: string, known: readonly string[], meant = didYouMean): string {
  const suggestion = meant(given, known);
  return `; ${suggestion}${suggestion && " "}${plural}: ${known.join(", ")}`;
}

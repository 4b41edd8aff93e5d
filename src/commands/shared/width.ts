/** Text by the cells it takes in a terminal: a Chinese letter takes two, an accent that joins its letter none. */
import stringWidth from "string-width";

export const displayWidth = (text: string): number => stringWidth(text);

/** Filled with spaces up to so many cells. */
export const padToWidth = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - displayWidth(text)));

const letters = new Intl.Segmenter("en", { granularity: "grapheme" });

/** At most so many cells; where something is cut off, "…" is the last of them. */
export function truncateToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let cut = "";
  let taken = 1;
  for (const { segment } of letters.segment(text)) {
    taken += displayWidth(segment);
    if (taken > width) break;
    cut += segment;
  }
  return `${cut}…`;
}

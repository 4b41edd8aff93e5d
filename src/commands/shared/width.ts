/** Text by the cells it takes in a terminal: a Chinese letter takes two, an accent that joins its letter none. */
import stringWidth from "string-width";

export const widthOf = (text: string): number => stringWidth(text);

/** Filled with spaces up to so many cells. */
export const padTo = (text: string, width: number): string => text + " ".repeat(Math.max(0, width - widthOf(text)));

const letters = new Intl.Segmenter("en", { granularity: "grapheme" });

/** At most so many cells; where something is cut off, "…" is the last of them. */
export function cutTo(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  let cut = "";
  let taken = 1;
  for (const { segment } of letters.segment(text)) {
    taken += widthOf(segment);
    if (taken > width) break;
    cut += segment;
  }
  return `${cut}…`;
}

/** Measures text in terminal cells: a Chinese character takes two, a combining accent none. */
import stringWidth from "string-width";

/** Returns the number of terminal cells that a text takes. */
export const displayWidth = (text: string): number => stringWidth(text);

/** Appends spaces up to `width` cells. */
export const padToWidth = (text: string, width: number): string =>
  text + " ".repeat(Math.max(0, width - displayWidth(text)));

const graphemes = new Intl.Segmenter("en", { granularity: "grapheme" });

/** Returns at most `width` cells of the text; a truncated text ends with "…". */
export function truncateToWidth(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  let kept = "";
  let cells = 1;
  for (const { segment } of graphemes.segment(text)) {
    cells += displayWidth(segment);
    if (cells > width) break;
    kept += segment;
  }
  return `${kept}…`;
}

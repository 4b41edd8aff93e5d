/** The colours and dash patterns of lines. Any two colours of a theme differ clearly with every kind of colour vision. */

/** @typedef {"main" | "partial" | "first" | "second" | "third" | "fourth"} Slot */

/** @type {Record<"light" | "dark", Record<Slot, string>>} */
export const palette = {
  light: {
    main: "#1e5ab4",
    partial: "#f05a00",
    first: "#4b96a5",
    second: "#b43c5a",
    third: "#00005a",
    fourth: "#003c00",
  },
  dark: {
    main: "#78b4ff",
    partial: "#ffb400",
    first: "#69f0d2",
    second: "#784be1",
    third: "#c34b00",
    fourth: "#1e9678",
  },
};

/** Lengths of dashes and gaps in pixels; none is a solid line. @type {Record<Slot, number[]>} */
export const dashes = {
  main: [],
  partial: [5, 4],
  first: [10, 3],
  second: [7, 3, 2, 3],
  third: [3, 3],
  fourth: [12, 3, 2, 3, 2, 3],
};

/** @type {Record<string, Slot>} */
const slots = {
  known_part: "partial",
  spot_usdt: "first",
  futures_usdt: "second",
  unified_usdt: "third",
  other_usdt: "fourth",
  average_open_price: "first",
  size: "second",
  net_deposits: "third",
};

/** The colours of lines that stand for danger and for gains, beside those of `main`, `first` and `second`. */
export const meanings = {
  light: { danger: "#f80000", gain: "#0a7040" },
  dark: { danger: "#f80000", gain: "#4fc58c" },
};

/** Returns how a line is drawn; one of gains and losses has two colours, of which this is the one of gains. @param {string} name */
export function styleOf(name) {
  const slot = slots[name] ?? "main";
  const theme = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
  if (name === "liquidation_price") return { color: meanings[theme].danger, dash: [2, 2], isGain: false };
  if (name === "unrealized_pl") return { color: meanings[theme].gain, dash: [], isGain: true };
  return { color: palette[theme][slot], dash: dashes[slot], isGain: false };
}

/** Runs on every page: draws its charts and keeps it up to date. */
import { Chart } from "./chart/chart.js";
import { ChartState } from "./chart/state.js";
import { follow } from "./live.js";

const state = new ChartState();
const charts = [...document.querySelectorAll("figure.chart")].map(
  (figure) => new Chart(/** @type {HTMLElement} */ (figure), state, document.body.dataset.timezone ?? "UTC"),
);

if (document.body.dataset.now !== undefined)
  follow(() => {
    for (const chart of charts) chart.refresh();
  });
// A page of a chosen date does not follow new data, but what it lacks is being read.
else if (document.querySelector("[data-reading]")) setTimeout(() => location.reload(), 2000);

const digits = /** @type {HTMLAnchorElement | null} */ (document.querySelector("[data-digits]"));

// The switch between cut and exact figures; this browser keeps it for pages that are opened without it.
digits?.addEventListener("click", () => localStorage.setItem("digits", digits.dataset.digits ?? "cut"));
if (digits?.dataset.digits === "all" && localStorage.getItem("digits") === "all") location.replace(digits.href);
addEventListener("keydown", ({ key, target, ctrlKey, metaKey, altKey }) => {
  const isTyping = target instanceof Element && target.matches("input, select, textarea");
  if (key === "e" && !isTyping && !ctrlKey && !metaKey && !altKey) digits?.click();
});

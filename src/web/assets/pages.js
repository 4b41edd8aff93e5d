/** Runs on every page: draws its charts and keeps it up to date. */
import { Chart } from "./chart.js";
import { follow } from "./live.js";

const charts = [...document.querySelectorAll("figure.chart")].map(
  (figure) => new Chart(/** @type {HTMLElement} */ (figure), document.body.dataset.timezone ?? "UTC"),
);

if (document.body.dataset.now !== undefined)
  follow(() => {
    for (const chart of charts) chart.refresh();
  });

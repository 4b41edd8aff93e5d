/** What a page does once it is there: it draws its curves, and follows what is stored. */
import { Chart } from "./chart.js";
import { follow } from "./live.js";

const charts = [...document.querySelectorAll("figure.chart")].map(
  (figure) => new Chart(/** @type {HTMLElement} */ (figure), document.body.dataset.timezone ?? "UTC"),
);

if (document.body.dataset.now !== undefined)
  follow(() => {
    for (const chart of charts) chart.refresh();
  });

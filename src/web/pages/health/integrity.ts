/** Renders what proves that the history is unaltered, and what was received that has no column. */
import { html } from "hono/html";
import { escapeControlChars } from "../../../core/text.ts";
import { type LastVerification, lastVerification } from "../../../store/files/verified-file.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure, none } from "../parts/figure.ts";

/** Returns the last verification; for a chosen instant null if it was made later. */
export function knownVerification({ history, at, isNow }: View): LastVerification | null {
  const last = lastVerification(history.path);
  return last && (isNow || Date.parse(last.at) <= at) ? last : null;
}

export function integrityHtml(view: View): Html {
  return html`<section id="integrity" data-live aria-labelledby="integrity-caption"><h2 id="integrity-caption">Integrity</h2>
<dl>
${view.isNow ? chainHeadHtml(view) : ""}<div><dt>Last verification</dt><dd>${verificationHtml(knownVerification(view), view)}</dd></div>
${view.isNow ? html`<div><dt>Verify now</dt><dd><code>npx bitget-collector db verify</code></dd></div>` : ""}
</dl>
${unknownFieldsHtml(view)}</section>`;
}

function chainHeadHtml({ history, timezone }: View): Html {
  const end = history.chainEnd();
  return html`<div><dt>Chain head</dt><dd>${end ? html`<code>${end.digest}</code>${end.at === null ? "" : html` <small>${instantFigure(end.at, timezone)}</small>`}` : none()}</dd></div>\n`;
}

function verificationHtml(last: LastVerification | null, view: View): Html {
  if (last === null) return none(view.isNow ? "never, or its result was not kept" : "none is known of that time");
  const { at, problems, snapshots, runs, due, accounted, corrected } = last;
  const isGood = problems.length === 0;
  return html`<span class="state ${isGood ? "fresh" : "stale"}">${isGood ? "● OK, unaltered" : "▲ ALTERED"}</span> ${instantFigure(at, view.timezone)}<br>
<small>${snapshots} snapshots of ${runs} runs; accounted for: ${accounted} of ${due} slots${corrected > 0 ? `; ${corrected} corrections` : ""}</small>
${isGood ? "" : html`<ul class="missing">${problems.map((problem) => html`<li>${escapeControlChars(problem)}</li>`)}</ul>`}`;
}

/** Names the fields of the exchange without a column, with the command that compares them with the installed parser. */
function unknownFieldsHtml(view: View): Html {
  const fields = view.history.unknownFields().filter(({ firstAt }) => firstAt <= view.at);
  if (fields.length === 0) return html`<p class="note">Every received field has a column.</p>`;
  return html`<p class="note">Received fields without a column when they were read; they are kept in <code>extra</code>, and <code>db replay</code> shows what the installed version would store:</p>
<ul>${fields.map(
    ({ dataset, field, firstAt, lastAt }) =>
      html`<li><code>${escapeControlChars(field)}</code> of ${dataset}, ${lastAt > view.at ? "since " : ""}${instantFigure(firstAt, view.timezone)}${lastAt > view.at ? "" : html` to ${instantFigure(lastAt, view.timezone)}`}: <code>npx bitget-collector db replay --dataset ${dataset}</code></li>`,
  )}</ul>`;
}

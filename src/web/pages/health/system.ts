/**
 * Renders version, files, disk, clock, accounts and the settings in force; secrets only as "set". Of a chosen instant only the clock and
 * the accounts are known.
 */
import { html } from "hono/html";
import { ownSettings } from "../../../alerts/in-force.ts";
import { escapeControlChars } from "../../../core/text.ts";
import { ownVersion } from "../../../monitoring/version.ts";
import { filesOf } from "../../data/health/files.ts";
import type { SettingsOf } from "../../data/health/settings.ts";
import type { View } from "../../data/table.ts";
import { type Html, instantFigure, none, unknown } from "../parts/figure.ts";

export function systemHtml(view: View, settings: readonly SettingsOf[]): Html {
  const skew = view.history.clockSkew(view.at);
  return html`<section id="system" data-live aria-labelledby="system-caption"><h2 id="system-caption">System</h2>
<dl>
<div><dt>Clock</dt><dd>${skew === null ? unknown() : offsetText(skew)}</dd></div>
${view.isNow ? machineHtml(view) : ""}
${view.history.accounts().map((account) => html`<div><dt>Account ${escapeControlChars(account)}</dt><dd>${modesHtml(view, account)}</dd></div>`)}
</dl>
${view.isNow ? settings.map(settingsHtml) : ""}</section>`;
}

/** Returns what is known of the present alone. */
function machineHtml({ history }: View): Html {
  const { files, freeBytes } = filesOf(history.path);
  return html`<div><dt>Version</dt><dd>${ownVersion()}, Node.js ${process.versions.node}</dd></div>
<div><dt>Free disk space</dt><dd>${freeBytes === null ? unknown() : bytesText(freeBytes)}</dd></div>
${files.map(({ what, name, bytes }) => html`<div><dt>${what}</dt><dd>${bytes === null ? none() : html`${bytesText(bytes)} <small>${escapeControlChars(name)}</small>`}</dd></div>`)}`;
}

const offsetText = (ms: number): string =>
  ms === 0 ? "as the exchange's" : `${Math.abs(ms)} ms ${ms > 0 ? "ahead of" : "behind"} the exchange's`;

/** Returns a size: `512 B`, `340 kB`, `12.3 MB`, `4.1 GB`. */
function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  const [unit, size] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / Number(size)).toFixed(1)} ${unit}`;
}

const modeLabels: Readonly<Record<string, string>> = {
  v1: "classic, API v1",
  v2: "classic, API v2",
  v3: "unified, API v3",
};

/** Returns the types that an account has had, with their beginnings: an upgrade is a second one. */
const modesHtml = ({ history, timezone, at }: View, account: string): Html[] =>
  history
    .accountModes(account)
    .filter(({ since }) => since <= at)
    .map(
      ({ api, since }, n) =>
        html`${n > 0 ? html`<br>upgraded: ` : ""}${modeLabels[api] ?? api} <small>since ${instantFigure(since, timezone)}</small>`,
    );

const settingsHtml = ({
  workers,
  shown,
  areInForce,
}: SettingsOf): Html => html`<details><summary>${areInForce ? `Settings in force${workers === "" ? "" : `, ${escapeControlChars(workers)}`}` : "Settings of this process"}</summary>
${areInForce ? "" : html`<p class="note">${ownSettings}</p>`}
<dl>${shown.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${escapeControlChars(value)}</dd></div>`)}</dl></details>`;

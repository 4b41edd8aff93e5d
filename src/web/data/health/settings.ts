/** Finds the settings that the page of data health shows: those of the processes that collect. */
import { settingsInForce } from "../../../alerts/in-force.ts";
import type { ShownSetting } from "../../../settings/sections/shown.ts";
import type { Site } from "../../site.ts";
import type { View } from "../table.ts";

/** Settings, and whose they are. */
export interface SettingsOf {
  /** The names of the processes where others have other settings; "" without. */
  workers: string;
  shown: readonly ShownSetting[];
  /** False where those of the collector are not known: they are those of the process that serves the pages. */
  areInForce: boolean;
}

/** Returns the settings in force: those of this process where it belongs to the only one that collects; empty where none are known. */
export function settingsOf(
  { history, at }: View,
  { daemon, settings }: Pick<Site, "daemon" | "settings">,
): SettingsOf[] {
  const isOnly = daemon !== null && history.workers(at).length === 0;
  const found = isOnly ? [] : settingsInForce(history, at);
  if (found.length > 0)
    return found.map(({ workers, shown }) => ({
      ...{ workers: found.length > 1 ? workers.join(", ") : "", shown, areInForce: true },
    }));
  return settings.length > 0 ? [{ workers: "", shown: settings, areInForce: daemon !== null }] : [];
}

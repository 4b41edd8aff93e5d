/** Two accounts of the simulated exchange and the settings to collect them. */

import { datasets } from "../../src/datasets/index.ts";
import { scheduleSetting } from "../../src/settings/config.ts";
import type { SimulatedAccount } from "../../src/simulator/simulator.ts";
import { modelledNames } from "./declared.ts";

export const classic: SimulatedAccount = {
  name: "main",
  key: "bg_0123456789abcdef0123456789abcdef",
  secret: "5f4dcc3b5aa765d61d8327deb882cf99a1b2c3d4e5f60718293a4b5c6d7e8f90",
  passphrase: "Correct-Horse-9",
  mode: "classic",
};

export const unified: SimulatedAccount = {
  name: "hedge",
  key: "bg_fedcba9876543210fedcba9876543210",
  secret: "09f8e7d6c5b4a39281706f5e4d3c2b1a99fc288bed7238d16d567aa5b3ccd4f5",
  passphrase: "Battery-Staple-8",
  mode: "unified",
};

/** Returns the credential settings of an account; the prefix is `BITGET` for a single account, `BITGET_NAME` for one of several. */
export const credentials = (account: SimulatedAccount, prefix = "BITGET"): Record<string, string> => ({
  [`${prefix}_API_KEY`]: account.key,
  [`${prefix}_API_SECRET`]: account.secret,
  [`${prefix}_API_PASSPHRASE`]: account.passphrase,
});

/** Returns the same schedule for every modelled dataset; the others are off. */
export const everyModelled = (schedule: string): Record<string, string> => ({
  ...everyDataset(""),
  ...Object.fromEntries(modelledNames.map((name) => [scheduleSetting(name), schedule])),
});

/** Returns the same schedule for every dataset of snapshots; those of records, and with "" all of them, are off. */
export const everyDataset = (schedule: string): Record<string, string> =>
  Object.fromEntries(datasets.map(({ name, mode }) => [scheduleSetting(name), mode === "snapshot" ? schedule : ""]));

/** The settings of sub-accounts that are collected with the key of their main account. */
import type { Pattern } from "../../core/cron.ts";
import type { Account } from "../../core/domain.ts";
import { items, schedule } from "../parsers.ts";
import { type SettingsReader, section } from "../setting.ts";

export const subAccounts = section({
  title: "Sub-accounts",
  note: "Read with the key of their main account; docs/guides/many-accounts.md says what can be read so.",
  settings: {
    of: {
      name: "SUB_ACCOUNTS_OF",
      default: null,
      parse: items,
      description:
        "The names of the main accounts whose sub-accounts are collected, separated by commas. A sub-account is recorded under the name of the main account and its user id: main/123456.",
    },
    schedule: {
      name: "SCHEDULE_SUB_ACCOUNTS",
      default: "*/5 * * * *",
      verbatim: true,
      parse: schedule,
      description:
        "When they are collected: cron in UTC; empty switches it off. The futures accounts take ten seconds per product type.",
    },
  },
});

export interface SubAccountSettings {
  /** The names of the main accounts; empty where no sub-accounts are collected. */
  of: readonly string[];
  schedule: Pattern | null;
}

/** Reads the section; a name must be that of an account, unless there are none because the command needs no keys. */
export function readSubAccounts(reader: SettingsReader, accounts: readonly Account[]): SubAccountSettings {
  const { of, schedule } = reader.values(subAccounts);
  for (const name of accounts.length > 0 ? (of ?? []) : [])
    if (!accounts.some((account) => account.name === name))
      reader.report(
        subAccounts.settings.of.name,
        `names "${name.slice(0, 40)}"; accounts: ${accounts.map((account) => account.name).join(", ")}`,
      );
  return { of: [...new Set(of ?? [])], schedule };
}

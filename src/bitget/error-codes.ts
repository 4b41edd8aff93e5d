/**
 * Classifies the exchange's error codes: the kind of failure, and what to do about it. Messages are never matched, because the
 * exchange translates and rewords them.
 *
 * Sources: https://www.bitget.com/api-doc/classic/error-code/restapi and /api-doc/uta/error-code; JKorf/Bitget.Net
 * `BitgetErrors.cs`; ccxt `bitget.js`, `exceptions`. 30032, 40006, 40009, 40034, 40037, 40084, 40085 and 400172 were
 * observed live, all with HTTP 400; success is exactly "00000".
 */
import type { FailureKind } from "../core/errors.ts";

export interface ErrorClass {
  kind: FailureKind;
  /** What to do, a sentence without its full stop; empty if nothing can be done. */
  hint: string;
}

export const success = "00000";

/** The codes with which API v3 rejects a classic account. */
export const classicCodes = ["40084", "25245"];

const classic = "this is a classic account, which uses API v2: set BITGET_API_VERSION to auto or v2";
const unified = "this is a unified account, which uses API v3: set BITGET_API_VERSION to auto or v3";

/** The kind, codes and hint of each class of errors. */
const errorFamilies: readonly [FailureKind, string, string][] = [
  ["rate_limited", "429 1001 25004 30006 30007", ""],
  // The vendor lists 45001, 40725 and 40015 as "try again", expected while it releases (Tue-Thu, 06:00-10:00 UTC).
  ["upstream", "25000 25001 25003 40010 40015 40604 40725 40843 40856 40908 40910 43059 45001 49040 50031", ""],
  ["clock", "40004 40005 40008 40078 40079", "set this machine's clock: the exchange allows 30 s of difference"],
  ["auth", "40001 40002 40003 40011", "a header did not arrive: check for a proxy that removes it"],
  ["auth", "40006 40037 40041", "the exchange does not know this API key: check it, or create a new one"],
  ["auth", "40009", "the signature is wrong: the API secret does not belong to this key"],
  ["auth", "40012 40036", "the passphrase is not the one that was set when this key was created"],
  ["auth", "40018 40038 49003 22010", "this machine's internet address is not on the IP whitelist of the key"],
  ["auth", "40099", "demo keys need BITGET_DEMO_TRADING=true, live keys BITGET_DEMO_TRADING=false"],
  ["auth", "40086", "BITGET_BASE_URL is a host for approved customers only: use https://api.bitget.com"],
  [
    "auth",
    "40016 40035 40100 40101 40111",
    "the exchange requires identity or phone verification of the account holder",
  ],
  ["auth", "40000 40103 40104", "the exchange does not serve this region"],
  [
    "auth",
    "40013 40022 40023 40024 40025 40026 40031 40710 40760 50012 50013 50023",
    "the account is restricted, frozen or closed: contact the exchange's support",
  ],
  [
    "permission",
    "40014 40040 25620",
    "give the key this permission, read only: spot and futures holdings, or for a unified account UTA mgt and UTA trade",
  ],
  ["permission", "40028 40048 40061 40066 40068", "a sub-account may not read this: use a key of the main account"],
  ["permission", "40081 40105 40110 22030", "not available in demo trading"],
  ["mode", classicCodes.join(" "), classic],
  ["mode", "40085", unified],
  ["mode", "40731 40854", `not available for a unified account that leads copy trading: ${unified}`],
  ["mode", "30032", "v1 was switched off in November 2025: set BITGET_API_VERSION to auto, v2 or v3"],
  ["maintenance", "40200 40308 40844 41114 43115 45043", "the exchange is under maintenance; later runs try again"],
  ["absent", "40309", ""],
  [
    "api",
    "00001 01001 20001 40017 40019 40020 40034 40053 40057 40058 40059 40064 40072 40102 40303 40404 40408 40409 " +
      "40700 40704 40705 40707 40724 40778 40806 40808 40811 40812 40813 41101 41103 42016 43049 45025 48001 48002 400171 400172",
    "",
  ],
];

const classes = new Map<string, ErrorClass>(
  errorFamilies.flatMap(([kind, codes, hint]) =>
    codes.split(" ").map((code): [string, ErrorClass] => [code, { kind, hint }]),
  ),
);

/** Returns the class of an error code; for an undocumented code, that of the HTTP status. */
export function errorClassOf(code: string, status: number): ErrorClass {
  const known = classes.get(code);
  if (known) return known;
  if (status === 429) return { kind: "rate_limited", hint: "" };
  return { kind: status >= 500 ? "upstream" : "api", hint: "" };
}

/** Returns the codes of these kinds of failure. */
export const codesOf = (...kinds: FailureKind[]): string[] =>
  [...classes].filter(([, { kind }]) => kinds.includes(kind)).map(([code]) => code);

/** Returns whether a code is documented. */
export const isKnown = (code: string): boolean => classes.has(code);

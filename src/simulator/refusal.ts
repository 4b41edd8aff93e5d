/** Error responses: the exchange's code, message and HTTP status. */

export class Refusal extends Error {
  readonly status: number;
  readonly code: string;

  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "Refusal";
    this.status = status;
    this.code = code;
  }
}

/** Returns the result of `attempt`, or the Refusal that it throws. */
export function catchRefusal<Result>(attempt: () => Result): Result | Refusal {
  try {
    return attempt();
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

/** Codes and messages as observed from the exchange; nearly all have HTTP status 400. */
export const refusals = {
  v1SwitchedOff: () =>
    new Refusal(400, "30032", "The V1 API has been decommissioned. Please migrate to a newer version."),
  unknownPath: () => new Refusal(404, "40404", "Request URL NOT FOUND"),
  noKey: () => new Refusal(400, "40006", "Invalid ACCESS_KEY"),
  unknownKey: () => new Refusal(400, "40037", "Apikey does not exist"),
  wrongEnvironment: () => new Refusal(400, "40099", "exchange environment is incorrect"),
  isClassic: () =>
    new Refusal(
      400,
      "40084",
      "You are in Classic Account mode, and the Unified Account API is not supported at this time",
    ),
  isUnified: () =>
    new Refusal(
      400,
      "40085",
      "You are in Unified Account mode, and the Classic Account API is not supported at this time",
    ),
  noSignature: () => new Refusal(400, "40002", "Header ACCESS_SIGN cannot be empty"),
  noTimestamp: () => new Refusal(400, "40003", "Header ACCESS_TIMESTAMP cannot be empty"),
  badTimestamp: () => new Refusal(400, "40005", "Invalid ACCESS_TIMESTAMP"),
  expired: () => new Refusal(400, "40008", "Request timestamp expired"),
  badSignature: () => new Refusal(400, "40009", "sign signature error"),
  noPassphrase: () => new Refusal(400, "40011", "Header ACCESS_PASSPHRASE cannot be empty"),
  badPassphrase: () => new Refusal(400, "40012", "apikey/password is incorrect"),
  notPermitted: (permission: string) =>
    new Refusal(400, "40014", `Incorrect permissions, need ${permission} read permissions`),
  isSubAccount: () => new Refusal(400, "40068", "Only the main account can access this interface"),
  tooMany: () => new Refusal(429, "429", "Too Many Requests"),
  badParameter: (name: string) => new Refusal(400, "400172", `Parameter verification failed ${name}`),
  spanTooLong: (days: number) =>
    new Refusal(400, "00001", `startTime and endTime interval cannot be greater than ${days} days`),
  intervalTooLong: (days: number) => new Refusal(400, "40705", `The start and end time cannot exceed ${days} days`),
  illegalTimeRange: () => new Refusal(400, "25200", "FinancialQueryParam time range illegal"),
  badBusinessType: () => new Refusal(400, "40020", "Parameter businessType error"),
  tooOld: () => new Refusal(400, "43111", "Only data within 90 days can be queried"),
  unknownParameter: (value: string) => new Refusal(400, "40034", `Parameter ${value} does not exist`),
};

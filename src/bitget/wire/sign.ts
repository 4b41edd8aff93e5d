/**
 * Signs requests. The signed text is exactly the text that is sent, its `?` included, without any encoding.
 *
 * Sources: https://www.bitget.com/api-doc/common/signature (HMAC and RSA); BitgetLimited/v3-bitget-api-sdk, `pre_hash` and
 * `parse_params_to_str` (values are signed unencoded and sorted).
 */
import { createHmac, createPrivateKey, sign as signWithKey } from "node:crypto";
import type { Account, Params } from "../../core/domain.ts";
import { ConfigError, UsageError } from "../../core/errors.ts";

/** Returns the headers of one request. `timestamp` is epoch ms of the exchange's clock, whole, and may differ by at most 30 s. */
export type Sign = (timestamp: number, method: string, target: string, body?: string) => Record<string, string>;

/**
 * Returns a function that signs for this account: HMAC-SHA256, or RSASSA-PKCS1-v1_5 with SHA-256 if the secret is a private
 * key in PEM.
 * @throws ConfigError if the credentials cannot be used; its message does not contain them
 */
export function signer(account: Account): Sign {
  const key = headerText(account, "API key", account.key.reveal());
  const passphrase = headerText(account, "passphrase", account.passphrase.reveal());
  const signature = signatureWith(account);
  return (timestamp, method, target, body = "") => ({
    "ACCESS-KEY": key,
    "ACCESS-SIGN": signature(`${timestamp}${method}${target}${body}`),
    "ACCESS-TIMESTAMP": String(timestamp),
    "ACCESS-PASSPHRASE": passphrase,
    locale: "en-US",
  });
}

function signatureWith(account: Account): (text: string) => string {
  const secret = account.secret.reveal();
  if (!secret.includes("-----BEGIN")) return (text) => createHmac("sha256", secret).update(text).digest("base64");
  const key = rsaKey(secret);
  if (key === null)
    throw new ConfigError([`the secret of account "${account.name}" is not a readable RSA private key`]);
  return (text) => signWithKey("sha256", Buffer.from(text), key).toString("base64");
}

function rsaKey(pem: string) {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyType === "rsa" ? key : null;
  } catch {
    return null;
  }
}

function headerText(account: Account, name: string, value: string): string {
  if (/^[\x20-\x7e]+$/.test(value)) return value;
  throw new ConfigError([
    `the ${name} of account "${account.name}" is empty or has characters that are not allowed in a header`,
  ]);
}

const pathForm = /^\/api(\/[A-Za-z0-9_-]+)+$/;
const wordForm = /^[A-Za-z0-9_.-]+$/;

/**
 * Returns path and query as they are signed and sent: keys sorted, without characters that need encoding.
 * @throws UsageError for a path outside `/api/`, or a name or value with characters other than A-Z a-z 0-9 _ . -
 */
export function target(path: string, params: Params): string {
  if (!pathForm.test(path))
    throw new UsageError("a path must start with /api/ and contain only letters, digits, - and _");
  const query = Object.keys(params)
    .sort()
    .map((name) => {
      const value = params[name] ?? "";
      if (wordForm.test(name) && wordForm.test(value)) return `${name}=${value}`;
      throw new UsageError(`${path}: a parameter must contain only letters, digits, _ . and -, and must not be empty`);
    })
    .join("&");
  return query === "" ? path : `${path}?${query}`;
}

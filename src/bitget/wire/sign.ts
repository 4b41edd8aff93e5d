/**
 * Signing. The text that is signed is exactly the text that is sent, its `?` included; nothing is encoded on the way.
 *
 * Source: https://www.bitget.com/api-doc/common/signature (HMAC and RSA); that values are signed unencoded and sorted:
 * BitgetLimited/v3-bitget-api-sdk, `pre_hash` and `parse_params_to_str`.
 */
import { createHmac, createPrivateKey, sign as signWithKey } from "node:crypto";
import type { Account, Params } from "../../core/domain.ts";
import { ConfigError, UsageError } from "../../core/errors.ts";

/** The headers of one request. `timestamp` is epoch ms of the exchange's clock, whole; it may be 30 s off at most. */
export type Sign = (timestamp: number, method: string, target: string, body?: string) => Record<string, string>;

/**
 * Returns a function that signs for this account: HMAC-SHA256, or RSASSA-PKCS1-v1_5 with SHA-256 where the secret is a
 * private key in PEM.
 * @throws ConfigError where the credentials cannot be used at all; it never shows them.
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
  if (key === null) throw new ConfigError([`the secret of account "${account.name}" is no readable RSA private key`]);
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
  throw new ConfigError([`the ${name} of account "${account.name}" is empty or has characters no header can carry`]);
}

const pathForm = /^\/api(\/[A-Za-z0-9_-]+)+$/;
const wordForm = /^[A-Za-z0-9_.-]+$/;

/**
 * Path and query as they are signed and sent: keys sorted, nothing that would need encoding.
 * @throws UsageError for a path outside `/api/`, or a name or value with other characters than A-Z a-z 0-9 _ . -
 */
export function target(path: string, params: Params): string {
  if (!pathForm.test(path)) throw new UsageError("a path starts with /api/ and has only letters, digits, - and _");
  const query = Object.keys(params)
    .sort()
    .map((name) => {
      const value = params[name] ?? "";
      if (wordForm.test(name) && wordForm.test(value)) return `${name}=${value}`;
      throw new UsageError(`${path}: a parameter can have letters, digits, _ . and - only, and must not be empty`);
    })
    .join("&");
  return query === "" ? path : `${path}?${query}`;
}

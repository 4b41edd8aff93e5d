/** Reads the URL of a PostgreSQL database. */
import { readFileSync } from "node:fs";
import type { ConnectionOptions } from "node:tls";
import { Secret } from "../../core/domain.ts";
import { ConfigError } from "../../core/errors.ts";
import { isLoopback } from "../../network/proxy.ts";

/** Where a history is in PostgreSQL, and how to connect. */
export interface Address {
  /** A host name, an address, or the folder of a socket. */
  host: string;
  port: number;
  database: string;
  user: string | undefined;
  password: Secret | undefined;
  /** The PostgreSQL schema of the history. */
  schema: string;
  /** False: the connection is not encrypted. */
  ssl: ConnectionOptions | false;
  /** Names server, database and schema, for messages; contains no password. */
  text: string;
}

const defaultPort = 5432;
const defaultSchema = "bitget";

/** The parameters of a URL that are read; others are refused, because ignoring one could lower the security that it asks for. */
const parameters = ["schema", "sslmode", "sslrootcert", "sslcert", "sslkey", "host"];

/** A name that needs no quotes in SQL. `pg_` is reserved; 50 characters leave room for suffixes within PostgreSQL's 63. */
const schemaName = /^(?!pg_)[a-z_][a-z0-9_]{0,49}$/;

/** Returns whether the text is the URL of a PostgreSQL database. */
export const isPostgresUrl = (text: string): boolean => /^postgres(ql)?:/.test(text);

/** Returns why a text cannot be used as the URL of a database, as the end of a sentence; null if it can. Contains no part of the URL but names. */
export function addressProblem(text: string): string | null {
  if (!isPostgresUrl(text) || !URL.canParse(text))
    return "must be a URL such as postgres://user:password@host/database (percent-encode special characters of the password)";
  const { username, password, hostname, pathname, searchParams } = new URL(text);
  if ([username, password, hostname, pathname].some((part) => !isDecodable(part)))
    return "has a % that does not begin an escape such as %2F; percent-encode special characters of the password (% is %25)";
  if (!/^\/[^/]+$/.test(pathname)) return "must name a database after the host, as in postgres://user@host/database";
  const odd = [...searchParams.keys()].find((name) => !parameters.includes(name));
  if (odd !== undefined) return `has the parameter "${odd.slice(0, 40)}"; it can have ${parameters.join(", ")}`;
  const schema = searchParams.get("schema") ?? defaultSchema;
  if (!schemaName.test(schema))
    return `has schema=${schema.slice(0, 60)}; the name of a schema begins with a lower-case letter and has only a-z, 0-9 and _, at most 50 characters, not pg_`;
  return modeProblem(searchParams.get("sslmode"));
}

function isDecodable(part: string): boolean {
  try {
    decodeURIComponent(part);
    return true;
  } catch {
    return false;
  }
}

function modeProblem(mode: string | null): string | null {
  if (mode === "allow" || mode === "prefer")
    return `has sslmode=${mode}, which may send everything unencrypted; use verify-full, verify-ca or require, or disable on a trusted network`;
  if (mode !== null && !["disable", "require", "verify-ca", "verify-full"].includes(mode))
    return `has sslmode=${mode.slice(0, 20)}; it can be verify-full, verify-ca, require or disable`;
  return null;
}

/** Returns the parts of a URL. Without `sslmode`, connections to other machines are encrypted and the certificate is verified. @throws ConfigError */
export function addressOf(secret: Secret): Address {
  const text = secret.reveal();
  const problem = addressProblem(text);
  if (problem !== null) throw new ConfigError([`The PostgreSQL URL ${problem}`]);
  const url = new URL(text);
  const host =
    url.searchParams.get("host") ?? (decodeURIComponent(url.hostname).replace(/^\[|\]$/g, "") || "localhost");
  const port = url.port === "" ? defaultPort : Number.parseInt(url.port, 10);
  const database = decodeURIComponent(url.pathname.slice(1));
  const schema = url.searchParams.get("schema") ?? defaultSchema;
  const part = (value: string) => (value === "" ? undefined : decodeURIComponent(value));
  const password = part(url.password);
  const isLocal = isSocket(host) || isLoopback(host);
  return {
    host,
    port,
    database,
    user: part(url.username),
    password: password === undefined ? undefined : new Secret(password),
    schema,
    ssl: sslOf(url.searchParams.get("sslmode") ?? (isLocal ? "disable" : "verify-full"), url.searchParams),
    text: `${isSocket(host) ? host : `${host}:${port}`}/${database}, schema ${schema}`,
  };
}

const isSocket = (host: string): boolean => host.startsWith("/");

/** Returns the options of TLS for a mode of libpq. `require` verifies the certificate only with a root certificate, as in libpq. */
function sslOf(mode: string, parameters: URLSearchParams): ConnectionOptions | false {
  if (mode === "disable") return false;
  const root = fileOf("sslrootcert", parameters);
  const [cert, key] = [fileOf("sslcert", parameters), fileOf("sslkey", parameters)];
  return {
    rejectUnauthorized: mode !== "require" || root !== null,
    ...(root === null ? {} : { ca: root }),
    ...(cert === null || key === null ? {} : { cert, key }),
    ...(mode === "verify-full" ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** Returns the content of the file that a parameter names; null where it is missing, or is `system`, the certificates of Node.js. */
function fileOf(name: string, parameters: URLSearchParams): string | null {
  const path = parameters.get(name);
  if (path === null || path === "system") return null;
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new ConfigError([`The PostgreSQL URL has ${name}=${path}, which cannot be read (${code})`]);
  }
}

/** Checks that `package.json` and the lockfile pin every installed package. */

export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  overrides?: Record<string, string>;
  /** npm runs the install scripts of packages with true only. */
  allowScripts?: Record<string, boolean>;
}

interface Package extends Manifest {
  version?: string;
  resolved?: string;
  integrity?: string;
  link?: boolean;
  hasInstallScript?: boolean;
}

export interface Lockfile {
  lockfileVersion: number;
  packages: Record<string, Package>;
}

const kinds = ["dependencies", "devDependencies", "optionalDependencies", "peerDependencies"] as const;

/** A version with an optional `^` or `~`; no URL, tag or `*`. */
const range = /^[~^]?\d+\.\d+\.\d+$/;

/** Returns one sentence per problem. */
export function supplyChainProblems(manifest: Manifest, { lockfileVersion, packages }: Lockfile): string[] {
  const { "": root = {}, ...others } = packages;
  const problems = lockfileVersion === 3 ? [] : [`the lockfile has version ${lockfileVersion}`];
  for (const [path, { version, resolved, integrity, link }] of Object.entries(others)) {
    if (resolved !== undefined || link) problems.push(`${path} does not come from the registry`);
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")) problems.push(`${path} has no integrity`);
    if (!/^\d+\.\d+\.\d+/.test(version ?? "")) problems.push(`${path} has no version`);
  }
  for (const kind of kinds) {
    for (const [name, wanted] of Object.entries(manifest[kind] ?? {})) {
      if (!range.test(wanted)) problems.push(`${name} is wanted as ${wanted}, which pins nothing`);
      if (root[kind]?.[name] !== wanted) problems.push(`${name} is wanted as ${wanted}, but not in the lockfile`);
      if (!others[`node_modules/${name}`]) problems.push(`${name} is not locked`);
    }
    for (const name of Object.keys(root[kind] ?? {}))
      if (!manifest[kind]?.[name]) problems.push(`${name} is locked, but no longer wanted`);
  }
  const named = manifest.allowScripts ?? {};
  const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  const scripted = Object.keys(others)
    .filter((path) => others[path]?.hasInstallScript)
    .map(nameOf);
  for (const name of scripted)
    if (named[name] === undefined) problems.push(`${name} has an install script that allowScripts does not list`);
  for (const name of Object.keys(named))
    if (!scripted.includes(name)) problems.push(`${name} is listed in allowScripts but has no install script`);
  return problems;
}

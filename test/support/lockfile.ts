/** What `package.json` and the lockfile must say of every package that is installed. */

export interface Manifest {
  dependencies?: Record<string, string>;
  devDependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
  overrides?: Record<string, string>;
  /** npm runs the install scripts of those with true, and of no others. */
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

/** A version, or from it on to the next major or minor one; no address, no tag, no `*`. */
const range = /^[~^]?\d+\.\d+\.\d+$/;

/** A sentence for each thing that is wrong. */
export function supplyProblems(manifest: Manifest, { lockfileVersion, packages }: Lockfile): string[] {
  const { "": root = {}, ...others } = packages;
  const problems = lockfileVersion === 3 ? [] : [`the lockfile has version ${lockfileVersion}`];
  for (const [path, { version, resolved, integrity, link }] of Object.entries(others)) {
    if (resolved !== undefined || link) problems.push(`${path} comes from an address of its own`);
    if (!/^sha512-[A-Za-z0-9+/]{86}==$/.test(integrity ?? "")) problems.push(`${path} has no integrity`);
    if (!/^\d+\.\d+\.\d+/.test(version ?? "")) problems.push(`${path} has no version`);
  }
  for (const kind of kinds) {
    for (const [name, wanted] of Object.entries(manifest[kind] ?? {})) {
      if (!range.test(wanted)) problems.push(`${name} is wanted as ${wanted}, which pins nothing`);
      if (root[kind]?.[name] !== wanted)
        problems.push(`${name} is wanted as ${wanted}, which the lockfile does not say`);
      if (!others[`node_modules/${name}`]) problems.push(`${name} is not locked`);
    }
    for (const name of Object.keys(root[kind] ?? {}))
      if (!manifest[kind]?.[name]) problems.push(`${name} is locked, and nobody wants it`);
  }
  const named = manifest.allowScripts ?? {};
  const nameOf = (path: string) => path.slice(path.lastIndexOf("node_modules/") + "node_modules/".length);
  const scripted = Object.keys(others)
    .filter((path) => others[path]?.hasInstallScript)
    .map(nameOf);
  for (const name of scripted)
    if (named[name] === undefined) problems.push(`${name} has an install script that nobody named`);
  for (const name of Object.keys(named))
    if (!scripted.includes(name)) problems.push(`${name} is named for an install script that it does not have`);
  return problems;
}

/** The type of a setting, and the reader of its value. The table of all settings is `table.ts`. */
import type { Environment } from "./env-file.ts";
import { readSecretFile } from "./secret-value.ts";

/** Receives a problem with a value, as the end of a sentence that begins with the name of the setting: "must be …". */
export type Report = (problem: string) => void;

/** Turns text into a value. After it has reported a problem, the returned value is not used. */
export type Parse<T> = (text: string, report: Report) => T;

export interface Setting<T = unknown, D extends string | null = string | null> {
  /** The variable in the environment or in `.env`. */
  name: string;
  /** The text to parse if the setting is not set; null: the value is null then. */
  default: D;
  parse: Parse<T>;
  /** One or more sentences, for the reference and for `.env.example`. */
  description: string;
  /** True: the text is not trimmed, and an empty one is a value of its own instead of the default. */
  verbatim?: true;
  /** A secret, or a URL that may contain a password. Either can be read from the file that `NAME_FILE` names. */
  secret?: "always" | "with a password";
}

export interface Section<S extends Record<string, Setting> = Record<string, Setting>> {
  title: string;
  /** A remark about all its settings. */
  note?: string;
  settings: S;
}

export type ValueOf<S extends Setting> =
  S extends Setting<infer T, infer D> ? T | (null extends D ? null : never) : never;
export type ValuesOf<S extends Section> = { [K in keyof S["settings"]]: ValueOf<S["settings"][K]> };

/** Returns the section unchanged, with the type of each setting inferred. */
export const section = <const S extends Record<string, Setting>>(declaration: Section<S>): Section<S> => declaration;

/** Reads values and collects all problems. */
export class SettingsReader {
  /** Each begins with the name of a setting; none contains the value of a secret. */
  readonly problems: string[] = [];
  readonly #env: Environment;

  constructor(env: Environment) {
    this.#env = env;
  }

  report(name: string, problem: string): void {
    this.problems.push(`${name} ${problem}`);
  }

  /** Returns the trimmed text; "" if the setting is not set. */
  text(name: string): string {
    return (this.#env[name] ?? "").trim();
  }

  value<S extends Setting>(setting: S): ValueOf<S> {
    const { name, secret, verbatim, default: fallback } = setting;
    const file = secret ? this.text(`${name}_FILE`) : "";
    if (file !== "") return this.#fromFile(setting, file) as ValueOf<S>;
    const text = (verbatim ? this.#env[name] : this.text(name) || undefined) ?? fallback;
    return (text === null ? null : setting.parse(text, (problem) => this.report(name, problem))) as ValueOf<S>;
  }

  /** Returns the values of a section by the keys of its settings. */
  values<S extends Section>({ settings }: S): ValuesOf<S> {
    return Object.fromEntries(
      Object.entries(settings).map(([key, setting]) => [key, this.value(setting)]),
    ) as ValuesOf<S>;
  }

  #fromFile({ name, parse }: Setting, file: string): unknown {
    const ignore = () => {};
    const given = this.text(name);
    if (given !== "") {
      this.report(name, `and ${name}_FILE are both set; keep one`);
      return parse(given, ignore);
    }
    const { text, problem } = readSecretFile(file);
    if (problem === null) return parse(text, (wrong) => this.report(name, `${wrong} (in ${file})`));
    this.report(`${name}_FILE`, problem);
    return parse("", ignore);
  }
}

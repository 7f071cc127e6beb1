/**
 * From an argument list and an environment to options: everything that can be wrong about them is said in one line.
 *
 * Options stand before or after the app; of a repeated one the last counts, except where it is collected. The command line goes
 * before the environment. Arguments are normalised first (`--name=value`, positionals last), since the parser would take
 * `--port -1` for two options, and an unknown option would swallow the app.
 *
 * @module
 */

import { parseArgs } from "@std/cli/parse-args";
import { StartupError } from "../spec/errors.ts";
import { nearest } from "../wire/nearest.ts";
import { PERMISSION_NAMES, readPermissionFlag } from "./sandbox/permission_flag.ts";
import { type CommandOptions, environmentName, type Option, OPTION_KEYS, type OptionKey, OPTIONS } from "./options.ts";

/** What the command line says. */
export interface Command {
  readonly options: CommandOptions;
  /** Options that only the environment gives. */
  readonly variables: ReadonlySet<OptionKey>;
  /** The app argument; left out where there is none. */
  readonly app?: string;
  /** The `key=value` arguments. */
  readonly appArguments: Readonly<Record<string, string>>;
}

interface Named {
  readonly key: OptionKey;
  readonly option: Option<unknown>;
  /** `--no-name`. */
  readonly negated: boolean;
}

/**
 * Reads a command line and an environment.
 *
 * @throws {StartupError} With exit code 2, saying what is wrong and what would be right.
 */
export function readCommand(args: readonly string[], environment: (name: string) => string | undefined): Command {
  const names = byName();
  const { tokens, positionals } = normalise(args, names);
  const given = parseArgs([...tokens], {
    string: OPTION_KEYS.filter((key) => !isFlag(key)).map((key) => OPTIONS[key].name),
    boolean: OPTION_KEYS.filter(isFlag).map((key) => OPTIONS[key].name),
    collect: OPTION_KEYS.map((key) => OPTIONS[key].name),
    negatable: OPTION_KEYS.filter(isNegatable).map((key) => OPTIONS[key].name),
  }) as Record<string, unknown>;
  const options: Record<string, unknown> = {};
  const variables = new Set<OptionKey>();
  for (const key of OPTION_KEYS) {
    const typed = fromCommandLine(key, given[OPTIONS[key].name]);
    const value = typed ?? fromEnvironment(key, environment);
    if (value === undefined) continue;
    options[key] = value;
    if (typed === undefined) variables.add(key);
  }
  settleAddress(options, given);
  return { options: options as CommandOptions, variables, ...splitPositionals(positionals, options.eval !== undefined) };
}

function byName(): Map<string, Named> {
  const names = new Map<string, Named>();
  for (const key of OPTION_KEYS) {
    const option = OPTIONS[key] as Option<unknown>;
    for (const name of [option.name, option.alias]) {
      if (name === undefined) continue;
      names.set(`--${name}`, { key, option, negated: false });
      if (isNegatable(key)) names.set(`--no-${name}`, { key, option, negated: true });
    }
    if (option.short !== undefined) names.set(`-${option.short}`, { key, option, negated: false });
  }
  return names;
}

function isFlag(key: OptionKey): boolean {
  return OPTIONS[key].kind.placeholder === "";
}

function isNegatable(key: OptionKey): boolean {
  return key === "accessLog" || (isFlag(key) && OPTIONS[key].commandOnly !== true);
}

function normalise(args: readonly string[], names: Map<string, Named>): { tokens: string[]; positionals: string[] } {
  const tokens: string[] = [];
  const positionals: string[] = [];
  for (let index = 0; index < args.length; index++) {
    const token = args[index]!;
    if (token === "--") {
      positionals.push(...args.slice(index + 1));
      break;
    }
    if (!token.startsWith("-") || token === "-") {
      positionals.push(token);
      continue;
    }
    if (readPermissionFlag(token) !== undefined) {
      tokens.push(`--${OPTIONS.permissions.name}=${token}`);
      continue;
    }
    const equals = token.indexOf("=");
    const name = equals < 0 ? token : token.slice(0, equals);
    const named = names.get(name) ?? fail(unknownOption(name, names));
    const { option, negated } = named;
    if (negated || isFlag(named.key)) {
      if (equals >= 0) fail(`${name} takes no value, got "${token.slice(equals + 1)}"`);
      tokens.push(`--${negated ? "no-" : ""}${option.name}`);
      continue;
    }
    let value = equals < 0 ? undefined : token.slice(equals + 1);
    if (value === undefined) {
      value = args[++index] ?? fail(`${name} needs a value: ${option.kind.right}`);
      if (isOption(value, names)) fail(`${name} needs a value (${option.kind.right}), got the option ${value}`);
    }
    tokens.push(`--${option.name}=${value}`);
  }
  return { tokens, positionals };
}

function isOption(token: string, names: Map<string, Named>): boolean {
  const name = token.split("=", 1)[0]!;
  return names.has(name) || /^--[a-z]/.test(token);
}

const PERMISSION_FLAGS = ["allow", "deny"].flatMap((effect) => PERMISSION_NAMES.map((name) => `--${effect}-${name}`));

function unknownOption(name: string, names: Map<string, Named>): string {
  if (name === "--reload" || name === "--watch") {
    return `Unknown option ${name}: to start again when a file changes: deno run --watch -A jsr:@pagi/server app.ts`;
  }
  if (name === "--allow-all" || name === "-A") {
    return `${name} gives an app everything: leave --sandbox out, or name what it may do, such as --allow-net=example.com:443`;
  }
  if (/^--(?:allow|deny|ignore)-/.test(name)) {
    return `Unknown permission flag ${name}: Deno has --allow- and --deny- with read, write, net, env, sys, run, ffi and import, and --ignore- with read and env; after = they need a value`;
  }
  const near = nearest(name, [...[...names.keys()].filter((known) => known.startsWith("--")), ...PERMISSION_FLAGS]);
  return `Unknown option ${name}${near === null ? "" : `: did you mean ${near}?`} (--help lists all options)`;
}

function fromCommandLine(key: OptionKey, given: unknown): unknown {
  const values = Array.isArray(given) ? given : given === undefined ? [] : [given];
  if (values.length === 0) return undefined;
  const option = OPTIONS[key] as Option<unknown>;
  if (isFlag(key)) return values.at(-1);
  const parsed = values.map((value) => typeof value === "boolean" ? value : parse(`--${option.name}`, option, String(value)));
  return option.kind.repeatable ? parsed.flat() : parsed.at(-1);
}

function fromEnvironment(key: OptionKey, environment: (name: string) => string | undefined): unknown {
  const option = OPTIONS[key] as Option<unknown>;
  if (option.commandOnly) return undefined;
  const name = environmentName(option.name);
  const value = environment(name);
  if (value === undefined || value === "") return undefined;
  if (isNegatable(key) && !isFlag(key) && /^(0|false|no|off)$/i.test(value)) return false;
  if (!option.kind.repeatable) return parse(name, option, value);
  return value.split("\n").filter((line) => line !== "").flatMap((line) => parse(name, option, line) as unknown[]);
}

function parse(name: string, option: Option<unknown>, value: string): unknown {
  return option.kind.parse(value) ?? fail(`${name} must be ${option.kind.right}, got "${value}"`);
}

// A socket takes the place of host and port, --listen that of all three. What the command line names goes before what the environment
// names.
function settleAddress(options: Record<string, unknown>, given: Record<string, unknown>): void {
  const typed = (key: OptionKey) => given[OPTIONS[key].name] !== undefined && (given[OPTIONS[key].name] as unknown[]).length > 0;
  const short = ["host", "port", "socket"] as const;
  if (typed("listen")) { for (const key of short) if (!typed(key)) delete options[key]; }
  else if (short.some(typed)) delete options.listen;
  if (options.socket === undefined) return;
  for (const key of ["host", "port"] as const) {
    if (options[key] === undefined) continue;
    if (typed("socket") && !typed(key)) delete options[key];
    else if (typed(key) && !typed("socket")) delete options.socket;
  }
}

function splitPositionals(positionals: readonly string[], hasCode: boolean): Pick<Command, "app" | "appArguments"> {
  const rest = [...positionals];
  const isApp = !hasCode && rest.length > 0 && !isAppArgument(rest[0]!);
  const app = isApp ? rest.shift() : undefined;
  const appArguments: Record<string, string> = {};
  for (const argument of rest) {
    if (!isAppArgument(argument)) {
      fail(
        hasCode
          ? `Unexpected argument "${argument}": the app is the text of --eval, after it only key=value arguments can follow`
          : `Unexpected argument "${argument}": the app is "${app ?? "."}", after it only key=value arguments can follow`,
      );
    }
    const equals = argument.indexOf("=");
    appArguments[argument.slice(0, equals)] = argument.slice(equals + 1);
  }
  return app === undefined ? { appArguments } : { app, appArguments };
}

// A URL with a query is an app, `./a=b.ts` too.
function isAppArgument(argument: string): boolean {
  return /^[A-Za-z_$][\w$.-]*=/.test(argument);
}

function fail(message: string): never {
  throw new StartupError(message, { exitCode: 2 });
}

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import * as logtape from "@logtape/logtape";
import { DefaultLogger } from "../../src/runner/default_logger.ts";
import { type LoggerLike, logTo } from "../../src/runner/logger.ts";

type Call = [level: string, ...rest: unknown[]];

function recorder(): LoggerLike & { calls: Call[] } {
  const calls: Call[] = [];
  const method = (level: string) => (...rest: unknown[]) => void calls.push([level, ...rest]);
  return { calls, debug: method("debug"), info: method("info"), warn: method("warn"), error: method("error") };
}

/** The shape of a logger of @std/log: levels, handlers, and methods that take a message or a function, then arguments. */
class StdLogger {
  readonly lines: string[] = [];
  readonly levelName = "INFO";
  readonly handlers: unknown[] = [];

  debug<T>(message: () => T, ...args: unknown[]): T | undefined;
  debug<T>(message: T extends () => unknown ? never : T, ...args: unknown[]): T | undefined;
  debug(message: unknown): undefined {
    return this.#log("DEBUG", message);
  }

  info<T>(message: () => T, ...args: unknown[]): T | undefined;
  info<T>(message: T extends () => unknown ? never : T, ...args: unknown[]): T | undefined;
  info(message: unknown): undefined {
    return this.#log("INFO", message);
  }

  warn<T>(message: () => T, ...args: unknown[]): T | undefined;
  warn<T>(message: T extends () => unknown ? never : T, ...args: unknown[]): T | undefined;
  warn(message: unknown): undefined {
    return this.#log("WARN", message);
  }

  error<T>(message: () => T, ...args: unknown[]): T | undefined;
  error<T>(message: T extends () => unknown ? never : T, ...args: unknown[]): T | undefined;
  error(message: unknown): undefined {
    return this.#log("ERROR", message);
  }

  critical(message: unknown): undefined {
    return this.#log("CRITICAL", message);
  }

  // Its default formatter prints level and message, and leaves the arguments out.
  #log(level: string, message: unknown): undefined {
    this.lines.push(`${level} ${message}`);
  }
}

/** Keeps what is written. */
class Target {
  text = "";

  write(bytes: Uint8Array): Promise<number> {
    return Promise.resolve(this.writeSync(bytes));
  }

  writeSync(bytes: Uint8Array): number {
    this.text += new TextDecoder().decode(bytes);
    return bytes.byteLength;
  }
}

Deno.test("logTo() drops what is below the level, and passes fields where there are any", () => {
  const logger = recorder();
  const log = logTo(logger, "warn");
  log("info", "no");
  log("warn", "careful", {});
  log("error", "broken", { port: 1 });
  assertEquals(logger.calls, [["warn", "careful"], ["error", "broken", { port: 1 }]]);
});

Deno.test("logTo() writes fields into the message for a logger of @std/log", () => {
  const logger = new StdLogger();
  const log = logTo(logger, "debug");
  log("debug", "plain");
  log("warn", "careful", { port: 1, request: 'GET /"' });
  assertEquals(logger.lines, ["DEBUG plain", 'WARN careful port=1 request="GET /\\""']);
});

Deno.test("logTo() takes console", () => {
  const log: LoggerLike = console;
  assertEquals(typeof logTo(log, "error"), "function");
});

Deno.test("logTo() survives a logger that throws", () => {
  const lines: unknown[] = [];
  const { error } = console;
  console.error = (...rest) => void lines.push(rest.join(" "));
  try {
    const fails = () => {
      throw new Error("no disk");
    };
    logTo({ debug: fails, info: fails, warn: fails, error: fails }, "info")("info", "hello");
  } finally {
    console.error = error;
  }
  assertEquals(lines, ["The logger failed: Error: no disk; the message was: hello"]);
});

Deno.test("logTo() keeps braces in a message for a LogTape logger", async () => {
  const records: logtape.LogRecord[] = [];
  await logtape.configure({
    sinks: { keep: (record) => void records.push(record) },
    loggers: [{ category: "mine", sinks: ["keep"] }, { category: ["logtape", "meta"], lowestLevel: "error" }],
  });
  try {
    logTo(logtape.getLogger("mine"), "info")("info", "a {b} c", { port: 1 });
  } finally {
    await logtape.reset();
  }
  assertEquals([records[0]!.message.join(""), records[0]!.properties.port], ["a {b} c", 1]);
});

Deno.test("DefaultLogger writes text: a line each, stacks indented below it, nothing that moves a cursor", async () => {
  const target = new Target();
  const logger = new DefaultLogger("text", target);
  logger.warn("careful\n2026-01-01T00:00:00.000Z error forged", { port: 1 });
  logger.error("broken {x}", { request: "GET /", error: "Error: a\x1b[31m\r2026\n    at b" });
  await logger.flush();
  const lines = target.text.trimEnd().split("\n");
  assertMatch(lines[0]!, /^\d{4}-\S+Z warn careful\\x0a2026-01-01T00:00:00\.000Z error forged port=1$/);
  assertMatch(lines[1]!, /^\d{4}-\S+Z error broken \{x\} request="GET \/"$/);
  assertEquals(lines.slice(2), ["    Error: a\\x1b[31m", "    2026", "        at b"]);
});

Deno.test("DefaultLogger writes JSON: one object a line", async () => {
  const target = new Target();
  const logger = new DefaultLogger("json", target);
  logger.info("hello", { port: 1 });
  logger.debug("again");
  await logger.flush();
  const [first, second] = target.text.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(Object.keys(first), ["time", "level", "message", "port"]);
  assertEquals([first.level, first.message, first.port], ["info", "hello", 1]);
  assertEquals([second.level, second.message], ["debug", "again"]);
});

Deno.test("DefaultLogger.flushNow() writes even what came before LogTape was there", async () => {
  const target = new Target();
  const logger = new DefaultLogger("text", target);
  logger.error("the end");
  await logger.flushNow();
  assertMatch(target.text, /^\S+Z error the end\n$/);
});

Deno.test("DefaultLogger leaves its messages to a configuration of LogTape that the app has made", async () => {
  const records: logtape.LogRecord[] = [];
  await logtape.configure({
    sinks: { keep: (record) => void records.push(record) },
    loggers: [{ category: ["pagi", "server"], sinks: ["keep"] }, { category: ["logtape", "meta"], lowestLevel: "error" }],
  });
  const target = new Target();
  try {
    const logger = new DefaultLogger("text", target);
    logger.warn("careful {x}", { port: 1 });
    await logger.flush();
  } finally {
    await logtape.reset();
  }
  assertEquals(target.text, "");
  const [record] = records;
  assert(record !== undefined);
  assertEquals([record.level, record.message.join(""), record.properties.port], ["warning", "careful {x}", 1]);
  assertStringIncludes(record.category.join("."), "pagi.server");
});

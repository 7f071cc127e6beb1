import { assertEquals } from "@std/assert";
import type { TlsSettings } from "../../src/engines/listener_settings.ts";
import type { TlsFiles, TlsReading } from "../../src/runner/tls_files.ts";
import { TlsReload, type TlsReloadParts } from "../../src/runner/tls_reload.ts";
import { watchFiles } from "../../src/runner/tls_watch.ts";
import { ManualClock } from "../../src/testing/clock.ts";
import { within } from "../conformance/waiting.ts";
import { folder } from "./process.ts";

const FILES: TlsFiles = { pairs: [{ cert: "/nowhere/a.crt", key: "/nowhere/a.key" }], clientCertificates: "none", ca: null };

function readingOf(text: string, ...warnings: string[]): TlsReading {
  return {
    tls: { certificates: [{ cert: text, key: text }], clientCertificates: "none", ca: null },
    certificates: [`${text}.test (until 2030-01-01)`],
    warnings,
  };
}

/** A reload of files that are texts of the test, by a clock and a watch of the test. */
class Bench implements Disposable {
  /** What the files hold, or what is wrong with them. */
  content: TlsReading | Error = readingOf("one");
  readonly clock = new ManualClock();
  readonly log: string[] = [];
  readonly applied: string[] = [];
  readonly reload: TlsReload;
  watches = 0;
  open = 0;
  #changed: () => void = () => {};

  constructor(parts: Partial<TlsReloadParts> = {}, first = readingOf("one")) {
    this.reload = new TlsReload({ files: FILES, reading: first }, {
      apply: ({ certificates }: TlsSettings) => void this.applied.push(certificates[0]!.cert),
      log: (level, text) => void this.log.push(`${level}: ${text}`),
      clock: this.clock,
      watch: (paths, changed) => {
        assertEquals(paths, ["/nowhere/a.crt", "/nowhere/a.key"]);
        this.watches++;
        this.open++;
        this.#changed = changed;
        return { close: () => void this.open-- };
      },
      read: () => {
        if (this.content instanceof Error) throw this.content;
        return this.content;
      },
      ...parts,
    });
  }

  /** The watch tells of changes, and time goes by. */
  async change(content: TlsReading | Error, times = 1): Promise<void> {
    this.content = content;
    for (let time = 0; time < times; time++) this.#changed();
    await this.clock.advance(300);
  }

  take(): string[] {
    return this.log.splice(0);
  }

  [Symbol.dispose](): void {
    this.reload[Symbol.dispose]();
    assertEquals([this.open, this.clock.pending], [0, 0]);
  }
}

Deno.test("TlsReload gives changed files to the engine, once for all that changes together", async () => {
  using bench = new Bench();
  await bench.change(readingOf("two"), 5);
  assertEquals(bench.applied, ["two"]);
  assertEquals(bench.take(), ["info: The TLS files have changed: new connections get two.test (until 2030-01-01)"]);
  // Folders may lead elsewhere after a change.
  assertEquals([bench.watches, bench.open], [2, 1]);
  await bench.change(readingOf("two"));
  assertEquals([bench.applied, bench.take()], [["two"], []]);
});

Deno.test("TlsReload keeps what it has where the new files are wrong, and says why once", async () => {
  using bench = new Bench();
  await bench.change(new Error("a.crt not found"));
  assertEquals(bench.take(), ["warn: The TLS files have changed, the certificates stay as they are: a.crt not found"]);
  await bench.change(new Error("a.crt not found"));
  await bench.clock.advance(60_000);
  const still = "error: The TLS files are still not right, the certificates stay as they are: ";
  assertEquals([bench.applied, bench.take()], [[], [`${still}a.crt not found`]]);
  assertEquals(bench.reload.reload("SIGHUP"), true);
  assertEquals(bench.take(), ["error: SIGHUP, the certificates stay as they are: a.crt not found"]);
  await bench.change(new Error("the key does not belong"));
  assertEquals(bench.take(), ["warn: The TLS files have changed, the certificates stay as they are: the key does not belong"]);
  await bench.change(readingOf("one"));
  assertEquals([bench.applied, bench.take()], [[], ["info: The TLS files have changed: they are right again, and as before"]]);
  await bench.change(readingOf("two"));
  assertEquals(bench.applied, ["two"]);
});

Deno.test("TlsReload warns of files that do not go together yet, and calls it an error only where it stays so", async () => {
  using bench = new Bench();
  await bench.change(new Error("the key is that of another certificate"));
  assertEquals(bench.take().map((line) => line.split(":")[0]), ["warn"]);
  await bench.change(readingOf("two"));
  await bench.clock.advance(10_000);
  assertEquals(bench.take(), ["info: The TLS files have changed: new connections get two.test (until 2030-01-01)"]);
  // The time counts from the last change on.
  await bench.change(new Error("cut"));
  await bench.clock.advance(4000);
  await bench.change(new Error("the key is that of another certificate"));
  await bench.clock.advance(4999);
  assertEquals(bench.take().map((line) => line.split(":")[0]), ["warn", "warn"]);
  await bench.clock.advance(1);
  assertEquals(bench.take(), [
    "error: The TLS files are still not right, the certificates stay as they are: the key is that of another certificate",
  ]);
});

Deno.test("TlsReload keeps what it has where the engine refuses the new", async () => {
  let refuses = true;
  const applied: string[] = [];
  using bench = new Bench({
    apply({ certificates }) {
      if (refuses) throw new Error("a kind of key that it does not know");
      applied.push(certificates[0]!.cert);
    },
  });
  await bench.change(readingOf("two"));
  assertEquals(bench.take(), ["warn: The TLS files have changed, the certificates stay as they are: a kind of key that it does not know"]);
  refuses = false;
  bench.reload.reload("SIGHUP");
  assertEquals(applied, ["two"]);
});

Deno.test("TlsReload reads when it is asked to, and says when nothing has changed", () => {
  using bench = new Bench();
  assertEquals(bench.reload.reload("SIGHUP"), true);
  assertEquals(bench.take(), ["info: SIGHUP: the certificates have not changed"]);
  bench.content = readingOf("two");
  assertEquals(bench.reload.reload("SIGHUP"), true);
  assertEquals(bench.take(), ["info: SIGHUP: new connections get two.test (until 2030-01-01)"]);
  assertEquals(bench.applied, ["two"]);
});

Deno.test("TlsReload says that an engine without replaceTls() keeps its certificate, once for each change and whenever it is asked", async () => {
  using bench = new Bench({ apply: null });
  assertEquals([bench.reload.reload("SIGHUP"), bench.take()], [false, []]);
  bench.content = readingOf("two");
  assertEquals(bench.reload.reload("SIGHUP"), true);
  assertEquals(bench.take(), ["warn: SIGHUP: this engine keeps the certificate that it has until the server starts again"]);
  await bench.change(readingOf("two"));
  assertEquals(bench.take(), []);
  assertEquals(bench.reload.reload("SIGHUP"), true);
  assertEquals(bench.take(), ["warn: SIGHUP: this engine keeps the certificate that it has until the server starts again"]);
  await bench.change(readingOf("three"));
  assertEquals(bench.take(), [
    "warn: The TLS files have changed: this engine keeps the certificate that it has until the server starts again",
  ]);
  await bench.change(readingOf("one"));
  assertEquals(bench.take(), ["info: The TLS files have changed: they are again those that this engine has"]);
  assertEquals([bench.reload.reload("SIGHUP"), bench.take()], [false, []]);
});

Deno.test("TlsReload warns of what is amiss with the files of the start and with new ones, once each", async () => {
  using bench = new Bench({}, readingOf("one", "expired"));
  assertEquals(bench.take(), ["warn: expired"]);
  await bench.change(readingOf("two", "expired", "open to others"));
  assertEquals(bench.take().slice(1), ["warn: open to others"]);
  // Nothing has changed but the time.
  bench.content = readingOf("two", "expires soon");
  await bench.clock.advance(120_000);
  assertEquals(bench.take(), ["warn: expires soon"]);
});

Deno.test("TlsReload looks every minute, where the watch missed it", async () => {
  using bench = new Bench();
  bench.content = readingOf("two");
  await bench.clock.advance(59_999);
  assertEquals(bench.applied, []);
  await bench.clock.advance(1);
  assertEquals(bench.applied, ["two"]);
});

Deno.test("TlsReload does nothing after its end", async () => {
  const bench = new Bench();
  bench[Symbol.dispose]();
  await bench.change(readingOf("two"));
  assertEquals([bench.reload.reload("SIGHUP"), bench.applied, bench.log], [false, [], []]);
});

Deno.test("TlsReload never waits for a pipe", { ignore: Deno.build.os === "windows" }, async () => {
  await using files = await folder();
  const pipe = `${files.path}/pipe`;
  assertEquals((await new Deno.Command("mkfifo", { args: [pipe] }).output()).success, true);
  const log: string[] = [];
  const clock = new ManualClock();
  using reload = new TlsReload({ files: { ...FILES, pairs: [{ cert: pipe, key: pipe }] }, reading: readingOf("one") }, {
    apply: () => {},
    log: (level, text) => void log.push(`${level}: ${text}`),
    clock,
  });
  // Nothing is looked for.
  assertEquals(clock.pending, 0);
  assertEquals(reload.reload("SIGHUP"), true);
  assertEquals(log, [`error: SIGHUP, the certificates stay as they are: ${pipe} is no regular file, which can't be read again`]);
});

/** Counts what a watch of one path tells. */
class Watched implements Disposable {
  readonly #watch: { close(): void };
  #wake: () => void = () => {};
  #told = 0;

  constructor(path: string) {
    this.#watch = watchFiles(
      [path],
      () => {
        this.#told++;
        this.#wake();
      },
      20,
    );
  }

  /** Settles when something was told since this was last called. */
  async told(what: string): Promise<void> {
    if (this.#told === 0) {
      const told = new Promise<void>((resolve) => this.#wake = resolve);
      await within(told, `the watch to tell of ${what}`);
    }
    this.#told = 0;
  }

  [Symbol.dispose](): void {
    this.#watch.close();
  }
}

const POSIX = { ignore: Deno.build.os === "windows" };

Deno.test("watchFiles() tells of a file that is written in place, replaced, removed and made again", POSIX, async () => {
  await using files = await folder({ "a.crt": "1", "new.crt": "3" });
  const path = await Deno.realPath(files.path);
  for (
    const [what, act] of [
      ["writing", () => Deno.writeTextFile(`${path}/a.crt`, "22")],
      ["replacing", () => Deno.rename(`${path}/new.crt`, `${path}/a.crt`)],
      ["removing", () => Deno.remove(`${path}/a.crt`)],
      ["making", () => Deno.writeTextFile(`${path}/a.crt`, "4")],
    ] as const
  ) {
    using watched = new Watched(`${path}/a.crt`);
    await act();
    await watched.told(what);
  }
});

Deno.test("watchFiles() tells of a link that is turned, as certbot does it", POSIX, async () => {
  await using files = await folder({ "archive/site/cert1.pem": "1", "archive/site/cert2.pem": "2", "live/site/README": "" });
  const link = `${files.path}/live/site/cert.pem`;
  await Deno.symlink("../../archive/site/cert1.pem", link);
  using watched = new Watched(link);
  await Deno.remove(link);
  await Deno.symlink("../../archive/site/cert2.pem", link);
  await watched.told("the link");
  assertEquals(await Deno.readTextFile(link), "2");
  using after = new Watched(link);
  // The file behind the link counts as well.
  await Deno.writeTextFile(`${files.path}/archive/site/cert2.pem`, "3");
  await after.told("the file behind the link");
});

Deno.test("watchFiles() tells of a folder that is exchanged, as Kubernetes does it", POSIX, async () => {
  await using files = await folder({ "tls/..2030_1/tls.crt": "1", "tls/..2030_2/tls.crt": "2" });
  const path = `${files.path}/tls`;
  await Deno.symlink("..2030_1", `${path}/..data`);
  await Deno.symlink("..data/tls.crt", `${path}/tls.crt`);
  using watched = new Watched(`${path}/tls.crt`);
  await Deno.symlink("..2030_2", `${path}/..data_tmp`);
  await Deno.rename(`${path}/..data_tmp`, `${path}/..data`);
  await watched.told("the folder");
  assertEquals(await Deno.readTextFile(`${path}/tls.crt`), "2");
});

Deno.test("watchFiles() tells of a file that appears, and does not mind pipes", POSIX, async () => {
  await using files = await folder();
  using watched = new Watched(`${files.path}/none/b/a.crt`);
  await Deno.mkdir(`${files.path}/none/b`, { recursive: true });
  await new Deno.Command("mkfifo", { args: [`${files.path}/none/b/pipe`] }).output();
  await Deno.writeTextFile(`${files.path}/none/b/a.crt`, "1");
  await watched.told("the file");
  await Deno.remove(`${files.path}/none/b/a.crt`);
  await new Deno.Command("mkfifo", { args: [`${files.path}/none/b/a.crt`] }).output();
  await watched.told("the pipe");
});

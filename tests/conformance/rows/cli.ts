/** Rows of the checklist: the command line. Its tests run the command as a process of its own. */

import { elsewhere, later } from "../suite.ts";

const RUN = "tests/runner/cli_run_test.ts";
const ERRORS = "tests/runner/cli_errors_test.ts";
const OPTIONS = "tests/runner/options_test.ts";
const CHOICE = "tests/runner/engine_choice_test.ts";
const LOADING = "tests/loading/load_app_test.ts";
const REFERENCES = "tests/loading/app_reference_test.ts";

const PERL = "it means something in Perl alone";
const MANAGER = "a service manager's work: there is no option for it, and an unknown option is refused";

elsewhere("CLI-001", "Options stand before or after the app", OPTIONS);
elsewhere(
  "CLI-001",
  "unknown, shortened and cuddled ones are refused, with the nearest name (the reference hands them to the app)",
  ERRORS,
);
elsewhere("CLI-002", "The app is an argument, a `module:export`, or text behind `-e`", RUN);
later("CLI-002", "`-M` and `-I`", PERL);
elsewhere("CLI-003", "`-o` and `-p` have the reference's defaults; `-E`, `-q`", OPTIONS);
elsewhere("CLI-003", "they do what they say", RUN);
later("CLI-003", "`-s` and `-l`", "there is one server class and one event loop; `--engine` chooses what speaks the wire");
later("CLI-004", "`--daemonize`, `--pid`, `--user`, `--group`", MANAGER);
elsewhere("CLI-005", "`--access-log FILE` appends", "tests/runner/access_log_test.ts");
elsewhere("CLI-005", "of it and `--no-access-log` the last one wins (the latter, in the reference)", OPTIONS);
later("CLI-005", "`--default-middleware`", "nothing wraps the app by itself: middleware is the app's own choice");
elsewhere("CLI-006", "`--version` and `--help` print and exit with 0", RUN);
elsewhere("CLI-007", "`--workers` and `--max-requests`", "tests/runner/workers_test.ts");
elsewhere("CLI-007", "`--max-connections` takes the engine node, and is refused by name with `--engine deno`", CHOICE);
elsewhere(
  "CLI-007",
  "`--worker-type listener` is what `--reuseport` is for: workers that each listen on the port",
  "tests/runner/listener_workers_test.ts",
);
elsewhere("CLI-008", "Times are seconds, also broken ones, or have a unit (whole seconds in the reference)", OPTIONS);
elsewhere("CLI-008", "`--lifespan` takes auto, on and off; `--lifespan-startup-timeout` holds", ERRORS);
elsewhere("CLI-008", "`--shutdown-timeout` holds", RUN);
elsewhere("CLI-008", "`--timeout` is an alias of `--keep-alive-timeout`, and takes the engine node", OPTIONS);
elsewhere("CLI-008", "`--heartbeat-timeout`", "tests/runner/workers_test.ts");
elsewhere("CLI-009", "Body, queue and message sizes reach the server; `--max-ws-frame-size` is an alias", OPTIONS);
elsewhere("CLI-009", "`--max-header-size`, `--max-header-count` take the engine node, and hold", RUN);
elsewhere("CLI-009", "`--listener-backlog`", "tests/engines/deno_serve_listeners_test.ts");
elsewhere("CLI-010", "The watermarks reach the server; the low one is a quarter of the high one where it is not given", OPTIONS);
elsewhere("CLI-010", "a low mark above the high one is refused", ERRORS);
elsewhere("CLI-011", "`--log-level`, `--access-log-format`", RUN);
elsewhere("CLI-011", "HTTP/2 needs no option: it is served wherever a client speaks it", "tests/engines/deno_serve_life_test.ts");
later("CLI-011", "`--sync-file-threshold`", "files are always read asynchronously: there is nothing to set");
elsewhere("CLI-012", "Certificate and key come together and must be there; the error names the file", ERRORS);
elsewhere("CLI-013", "`--socket-mode` is 0 and three octal digits", OPTIONS);
elsewhere("CLI-014", "`--listen`, repeatable", RUN);
elsewhere("CLI-015", "A socket and a host or port exclude each other (the reference ignores the latter)", ERRORS);
elsewhere(
  "CLI-015",
  "`-w 0` is a single process, `-w 1` one worker (both a single process in the reference)",
  "tests/runner/home_choice_test.ts",
);
elsewhere(
  "CLI-016",
  "The environment is that of `-E`, then PAGI_ENV, then production without a terminal; the app finds it in PAGI_ENV",
  RUN,
);
later(
  "CLI-017",
  "A lint middleware wraps the app in development",
  "nothing wraps the app; `--validate-events`, on in development, checks its events",
);
elsewhere("CLI-018", "The access log is off in production; events are checked in development", OPTIONS);
elsewhere("CLI-018", "in development the log goes to standard error", RUN);
elsewhere("CLI-019", "A path, a URL, a specifier, with or without an export", REFERENCES);
elsewhere("CLI-019", "an argument with `=` is no app", ERRORS);
elsewhere("CLI-020", "Without an app the working directory is served, without dotfiles", RUN);
elsewhere("CLI-021", "`key=value` goes to the factory, split at the first `=`", OPTIONS);
elsewhere("CLI-021", "any other argument is refused (the reference warns)", ERRORS);
elsewhere("CLI-022", "A module must give an app, an object with toApp() or one with fetch()", LOADING);
elsewhere("CLI-023", "What can't be loaded is told in one line, with its place, and a status that is not 0", ERRORS);
later("CLI-024", "The app's file is the program's path", `${PERL}; a module knows its place by import.meta`);
elsewhere("CLI-025", "Every option of the command reaches the server by one table", OPTIONS);
later("CLI-026", "A PID file", MANAGER);
later("CLI-027", "Daemonizing", MANAGER);
later("CLI-028", "Dropping privileges", MANAGER);
later("CLI-029", "Privileges are dropped after the bind", MANAGER);
elsewhere("CLI-030", "A clean TERM or INT is status 0", RUN);
elsewhere("CLI-030", "wrong usage is 2, a refused start 3", ERRORS);
later("CLI-031", "`--future-xs`", PERL);

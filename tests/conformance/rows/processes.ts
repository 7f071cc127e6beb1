/** Rows of the checklist: workers, signals, and sockets that come from outside. */

import { elsewhere, later } from "../suite.ts";

const RUN = "tests/runner/cli_run_test.ts";
const WORKERS = "tests/runner/workers_test.ts";
const POOL = "tests/runner/pool/pool_test.ts";
const LIMITS = "tests/runner/pool/limits_test.ts";
const SERVE = "tests/runner/serve_workers_test.ts";
const FAULTS = "tests/faults/lifespan_test.ts";
const PASSED = "tests/runner/socket_activation_test.ts";
const REUSE = "a server hands its sockets to no successor of its own: a service manager keeps them, and passes them by LISTEN_FDS";
const MASTER =
  "the front is not replaced while it runs: HUP replaces its workers; a service manager that keeps the sockets can start a new front";

elsewhere(
  "WORK-001",
  "A server is a single process by default; `--workers 1` is a worker process (a single process in the reference)",
  WORKERS,
);
elsewhere("WORK-002", "All workers serve what one front accepts, each with its own event loop and lifespan state", WORKERS);
elsewhere("WORK-003", "Each worker has its own lifespan, with is_worker 1 and its number", WORKERS);
elsewhere("WORK-004", "A worker that died is replaced under its number", WORKERS);
elsewhere("WORK-005", "A worker whose first startup fails is not replaced: the server exits with 3 (2 in the reference)", WORKERS);
elsewhere("WORK-005", "one that can't start later is tried again, later and later, while the others serve", FAULTS);
elsewhere("WORK-006", "A server whose workers can't start ends at once with the worker's own text, without a storm of attempts", FAULTS);
elsewhere("WORK-007", "A worker is replaced after `--max-requests`, the new one before the old, and no request is refused", WORKERS);
elsewhere("WORK-008", "Every exchange counts: http, sse and WebSocket (http alone in the reference)", POOL);
elsewhere("WORK-009", "`--heartbeat-timeout` is 30 s (50 in the reference), 0 is off, and means nothing without workers", LIMITS);
elsewhere("WORK-010", "A worker whose loop is blocked is killed and replaced, one that works slowly is not", WORKERS);
elsewhere(
  "WORK-011",
  "Limits and timeouts reach the workers: the rows of this suite run with them in processes and threads",
  "tests/conformance/conformance_test.ts",
);
elsewhere(
  "WORK-012",
  "All options hold in every home: what the wire needs stays in the front, what a session needs is sent",
  "tests/conformance/conformance_test.ts",
);
elsewhere("WORK-013", "Workers log through the front, with their number", SERVE);
elsewhere(
  "WORK-014",
  "Each worker may bind a socket of its own, or share one that the server holds",
  "tests/runner/listener_workers_test.ts",
);
elsewhere("WORK-015", "Workers serve HTTP/2 over TLS: the front speaks it", "tests/conformance/conformance_test.ts");
elsewhere("WORK-016", "The banner tells their number and kind", WORKERS);

elsewhere("SIG-001", "TERM and INT stop the listener, run the shutdown of the app, and exit with 0", RUN);
elsewhere("SIG-001", "of each worker", WORKERS);
elsewhere("SIG-002", "One Ctrl+C is one graceful stop; a second INT ends at once, with status 1", RUN);
elsewhere("SIG-002", "also where it goes to the workers too", WORKERS);
elsewhere("SIG-003", "A second TERM is harmless; TERM during the startup exits with 0", RUN);
elsewhere("SIG-003", "with workers too, and none is left", WORKERS);
elsewhere("SIG-004", "What is left at the end of the shutdown timeout is ended; what is done sooner is not waited for", RUN);
elsewhere("SIG-004", "a worker that is left is killed", WORKERS);
elsewhere("SIG-005", "HUP replaces every worker, and a running request completes", WORKERS);
elsewhere("SIG-006", "also one that hangs", POOL);
elsewhere("SIG-007", "one by one, the new before the old (all at once in the reference)", WORKERS);
elsewhere("SIG-008", "TTIN adds a worker", WORKERS);
elsewhere("SIG-009", "TTOU stops the last one, and never the only one", WORKERS);
elsewhere("SIG-010", "In a single process HUP and USR2 log a warning, and requests go on", RUN);
later("SIG-011", "USR2 starts a new master on the same sockets", MASTER);
later("SIG-012", "When the old one ends", MASTER);
later("SIG-013", "Only one handover at a time, and a failed one leaves the old master", MASTER);

elsewhere("SYSD-001", "LISTEN_PID and LISTEN_FDS name inherited sockets, matched by address; they are served by the engine node", PASSED);
elsewhere("SYSD-002", "A matched listener uses its inherited socket", PASSED);
elsewhere("SYSD-003", "Those variables are removed, also where they are for another process", PASSED);
later("SYSD-004", "A list of the server's own names inherited sockets", REUSE);
later("SYSD-005", "Which of the two wins", REUSE);
later("SYSD-006", "Sockets are added to that list while they listen", REUSE);
elsewhere("SYSD-007", "A socket that matches nothing is closed, with a warning", PASSED);
elsewhere("SYSD-008", "A socket that is taken is logged", PASSED);
elsewhere("SYSD-008", "an inherited Unix socket is refused, with the reason: Deno listens on it and never answers", PASSED);
later("SYSD-009", "Arguments and the old master's pid are handed on", MASTER);
elsewhere("SYSD-010", "IPv6 sockets can be inherited", PASSED);

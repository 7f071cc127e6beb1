/** Rows of the checklist: workers, signals, and sockets that come from outside. */

import { elsewhere, later } from "../suite.ts";

const RUN = "tests/runner/cli_run_test.ts";
const ERRORS = "tests/runner/cli_errors_test.ts";
const WORKERS = "there is no pool of workers yet";
const FD = "Deno.serve takes no descriptor of a socket: for the engine node";

elsewhere("WORK-001", "A server is a single process; `--workers` is refused by name until there is a pool", ERRORS);
later("WORK-002", "Workers share sockets that are bound before they start; each has its own state and event loop", WORKERS);
later("WORK-003", "Each worker has its own lifespan, with is_worker 1 and its number", WORKERS);
later("WORK-004", "A worker that died is replaced", WORKERS);
later("WORK-005", "A worker whose startup failed is not", WORKERS);
later("WORK-006", "Without a worker left the server ends, soon and not with 0", WORKERS);
later("WORK-007", "A worker is replaced after so many requests", WORKERS);
later("WORK-008", "Which exchanges count for that", WORKERS);
later("WORK-009", "Workers have a heartbeat", WORKERS);
later("WORK-010", "A worker that hangs is killed and replaced, one that works slowly is not", WORKERS);
later("WORK-011", "Limits and timeouts reach the workers", WORKERS);
later("WORK-012", "So do all other options", WORKERS);
later("WORK-013", "Workers are quiet but for errors", WORKERS);
later("WORK-014", "Each worker may bind a socket of its own", WORKERS);
later("WORK-015", "Workers serve HTTP/2 over TLS", WORKERS);
later("WORK-016", "The banner tells their number", WORKERS);

elsewhere("SIG-001", "TERM and INT stop the listener, run the shutdown of the app, and exit with 0", RUN);
later("SIG-001", "of each worker", WORKERS);
elsewhere("SIG-002", "One Ctrl+C is one graceful stop; a second INT ends at once, with status 1", RUN);
later("SIG-002", "with workers", WORKERS);
elsewhere("SIG-003", "A second TERM is harmless; TERM during the startup exits with 0", RUN);
elsewhere("SIG-004", "What is left at the end of the shutdown timeout is ended; what is done sooner is not waited for", RUN);
later("SIG-004", "a worker that is left is killed", WORKERS);
later("SIG-005", "HUP replaces every worker", WORKERS);
later("SIG-006", "also one that hangs", WORKERS);
later("SIG-007", "one by one, the new before the old", WORKERS);
later("SIG-008", "TTIN adds a worker", WORKERS);
later("SIG-009", "TTOU stops one", WORKERS);
elsewhere("SIG-010", "In a single process HUP and USR2 log a warning, and requests go on", RUN);
later("SIG-011", "USR2 starts a new master on the same sockets", WORKERS);
later("SIG-012", "When the old one ends", WORKERS);
later("SIG-013", "Only one handover at a time, and a failed one leaves the old master", WORKERS);

later("SYSD-001", "LISTEN_PID and LISTEN_FDS name inherited sockets, matched by address", FD);
later("SYSD-002", "A matched listener uses its inherited socket", FD);
later("SYSD-003", "Those variables are removed, also where they are for another process", FD);
later("SYSD-004", "A list of the server's own names inherited sockets", FD);
later("SYSD-005", "Which of the two wins", FD);
later("SYSD-006", "Sockets are added to that list while they listen", FD);
later("SYSD-007", "A socket that matches nothing is closed, with a warning", FD);
later("SYSD-008", "Reuse is logged, and the file of an inherited Unix socket is kept", FD);
later("SYSD-009", "Arguments and the old master's pid are handed on", WORKERS);
later("SYSD-010", "IPv6 sockets can be inherited", FD);

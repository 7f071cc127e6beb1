/**
 * A thread of fronts, reused by all rows: each message brings two ports, to command one and for its link.
 *
 * @module
 */

import { PortPipe } from "../../src/links/port_pipe.ts";
import { serveFront } from "./front.ts";
import { type Command, PortChannel, type Report } from "./front_messages.ts";

self.addEventListener("message", (event) => {
  const [control, link] = (event as MessageEvent).ports;
  void serveFront(new PortChannel<Report, Command>(control!), () => Promise.resolve(new PortPipe(link!)));
});

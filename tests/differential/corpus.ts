/**
 * The corpus: byte-level requests, valid, odd and hostile.
 *
 * @module
 */

import { CHUNKS, LENGTHS, SMUGGLING } from "./corpus/bodies.ts";
import { FLOODS, H2_FRAMES, PREFACES } from "./corpus/h2_frames.ts";
import { H2_BODIES, H2_HEADS, H2_SOCKETS } from "./corpus/h2_requests.ts";
import { HEADERS, HOSTS } from "./corpus/heads.ts";
import { LINES, TARGETS, VERSIONS } from "./corpus/lines.ts";
import { CLOSES, FRAMES } from "./corpus/socket_frames.ts";
import { CONNECTION, EXPECT, METHODS, PIPELINES } from "./corpus/talk.ts";
import { HANDSHAKES, STREAMS, UPGRADES } from "./corpus/upgrades.ts";
import type { Entry } from "./entry.ts";

/** Every entry. */
export const CORPUS: readonly Entry[] = [
  ...[...LINES, ...VERSIONS, ...TARGETS, ...HEADERS, ...HOSTS],
  ...[...LENGTHS, ...SMUGGLING, ...CHUNKS],
  ...[...EXPECT, ...CONNECTION, ...PIPELINES, ...METHODS],
  ...[...UPGRADES, ...HANDSHAKES, ...STREAMS, ...FRAMES, ...CLOSES],
  ...[...PREFACES, ...H2_FRAMES, ...FLOODS, ...H2_HEADS, ...H2_BODIES, ...H2_SOCKETS],
];

/**
 * What the command line prints once it serves.
 *
 * @module
 */

import { jsonLine } from "./default_logger.ts";
import { type EngineChoice, engineText } from "./engine_choice.ts";
import { type HomeChoice, homeText } from "./home_choice.ts";

/** What the banner tells. */
export interface BannerFacts {
  readonly urls: readonly string[];
  readonly engine: EngineChoice["name"];
  readonly why: string;
  /** What the other engine would cost or give. */
  readonly other: string;
  readonly home: HomeChoice;
  readonly isTls: boolean;
  readonly env: string;
}

/** The banner as a line of a JSON log. */
export function bannerJson({ urls, engine, why, other, home, isTls, env }: BannerFacts, timestamp: number): string {
  const { name, workers, why: because } = home;
  const reason = because === "" ? {} : { home_why: because };
  const fields = { urls, engine, why, other, home: name, workers, ...reason, tls: isTls, environment: env };
  return jsonLine({ level: "info", text: `Listening on ${urls.join(", ")}`, fields, timestamp });
}

/** The lines of the banner: where it listens and how; in development also how to stop. */
export function bannerLines({ urls, engine, why, other, home, isTls, env }: BannerFacts): string[] {
  const lines = [
    `Listening on ${urls.join(", ")} (${engineText({ name: engine, why, other })}; ${homeText(home)}; TLS ${isTls ? "on" : "off"}; ${env})`,
  ];
  if (env === "development") lines.push("Press Ctrl+C to stop; a second time ends at once");
  return lines;
}

/**
 * What the command line prints once it serves.
 *
 * @module
 */

/** What the banner tells. */
export interface BannerFacts {
  readonly urls: readonly string[];
  readonly engine: string;
  readonly why: string;
  readonly isTls: boolean;
  readonly env: string;
}

/** The lines of the banner: where it listens and how; in development also how to stop. */
export function bannerLines({ urls, engine, why, isTls, env }: BannerFacts): string[] {
  const lines = [
    `Listening on ${urls.join(", ")} (engine ${engine}: ${why}; app in this process, no workers; TLS ${isTls ? "on" : "off"}; ${env})`,
  ];
  if (env === "development") lines.push("Press Ctrl+C to stop; a second time ends at once");
  return lines;
}

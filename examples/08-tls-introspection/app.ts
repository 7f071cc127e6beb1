/** Shows what the server knows of the TLS connection. */
import type { App, TlsInfo } from "@pagi/server";

const app: App = async (scope, _receive, send) => {
  if (scope.type !== "http") throw new Error(`Unsupported scope type: ${scope.type}`);
  const { tls } = scope.extensions;
  const text = tls ? `TLS info:\n${JSON.stringify(readable(tls), null, 2)}\n` : "Connection is not using TLS\n";
  await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain; charset=utf-8"]] });
  await send({ type: "http.response.body", body: text });
};

export default app;

/** The extension as it is, but for its two numbers: they are known by their hexadecimal form. */
function readable(tls: TlsInfo): Record<keyof TlsInfo, unknown> {
  return { ...tls, tls_version: hex(tls.tls_version), cipher_suite: hex(tls.cipher_suite) };
}

function hex(value: number | null): string | null {
  return value === null ? null : `0x${value.toString(16).padStart(4, "0")}`;
}

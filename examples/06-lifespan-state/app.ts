/** Stores a greeting at startup; every request finds it in its state. */
import type { App, Receive, Send } from "@pagi/server";

const app: App = async (scope, receive, send) => {
  switch (scope.type) {
    case "lifespan":
      return await lifespan(scope.state, receive, send);
    case "http": {
      const greeting = scope.state?.greeting ?? "Hello";
      await send({ type: "http.response.start", status: 200, headers: [["content-type", "text/plain"]] });
      return await send({ type: "http.response.body", body: `${greeting} via shared state` });
    }
    default:
      throw new Error(`Unsupported scope type: ${scope.type}`);
  }
};

export default app;

async function lifespan(state: Record<string, unknown>, receive: Receive, send: Send): Promise<void> {
  for (;;) {
    const event = await receive();
    if (event.type === "lifespan.startup") {
      console.error("Starting up");
      state.greeting = "Hello from lifespan"; // here an app would open its database
      await send({ type: "lifespan.startup.complete" });
    } else if (event.type === "lifespan.shutdown") {
      console.error("Shutting down"); // … and close it here
      return await send({ type: "lifespan.shutdown.complete" });
    }
  }
}

/** The rooms of the chat example, without sockets. */
import { assertEquals } from "@std/assert";
import { Chat, type Member, type Message } from "../../examples/websocket-chat/chat.ts";

function enter(chat: Chat, name: string, room = "lobby"): { member: Member; got: Message[] } {
  const got: Message[] = [];
  const member = chat.add((message) => got.push(message));
  chat.handle(member, JSON.stringify({ type: "join", name, room }));
  return { member, got };
}

const types = (got: Message[]) => got.map(({ type }) => type);
const say = (chat: Chat, member: Member, text: unknown) => chat.handle(member, JSON.stringify({ type: "message", text }));

Deno.test("Chat gives a message to everybody in its room and to nobody else", () => {
  const chat = new Chat();
  const [ada, bob, eve] = [enter(chat, "Ada"), enter(chat, "Bob"), enter(chat, "Eve", "garden")];
  say(chat, ada.member, "hi");
  const { at: _, ...message } = ada.got.at(-1)!;
  assertEquals(message, { type: "message", name: "Ada", text: "hi" });
  assertEquals(bob.got.at(-1), ada.got.at(-1));
  assertEquals(types(eve.got).includes("message"), false);
});

Deno.test("Chat refuses what is malformed with one error to its sender", () => {
  const chat = new Chat();
  const { member, got } = enter(chat, "Ada");
  const bystander = enter(chat, "Bob");
  const seen = bystander.got.length;
  const inputs = [
    "",
    "no json",
    "null",
    "[]",
    "7",
    '"join"',
    "{}",
    '{"type":"nope"}',
    '{"type":"message"}',
    '{"type":"join","name":{"toString":0},"room":"lobby"}',
    '{"type":"join","name":"Ada"}',
    '{"type":"join","name":"Ada","room":["lobby"]}',
  ];
  for (const input of inputs) {
    const before = got.length;
    chat.handle(member, input);
    assertEquals(types(got.slice(before)), ["error"], input);
  }
  for (const text of ["", "  ", 7, null, "x".repeat(2001)]) {
    const before = got.length;
    say(chat, member, text);
    assertEquals(types(got.slice(before)), ["error"], String(text));
  }
  for (
    const [name, room] of [["", "lobby"], ["x".repeat(21), "lobby"], ["<b>", "lobby"], ["bob", "lobby"], ["Ada", ""], ["Ada", "a b"], [
      "Ada",
      "x".repeat(31),
    ], ["Ada", "../x"]]
  ) {
    const before = got.length;
    chat.handle(member, JSON.stringify({ type: "join", name, room }));
    assertEquals(types(got.slice(before)), ["error"], `${name} in ${room}`);
  }
  assertEquals(bystander.got.length, seen);
  assertEquals(member.room, "lobby", "a refused join leaves things as they are");
});

Deno.test("Chat takes no message of somebody who is in no room", () => {
  const chat = new Chat();
  const got: Message[] = [];
  const member = chat.add((message) => got.push(message));
  say(chat, member, "hi");
  assertEquals(types(got), ["rooms", "error"]);
});

Deno.test("Chat keeps the last 50 messages for who comes later, and a room as long as somebody is in it", () => {
  const chat = new Chat();
  const ada = enter(chat, "Ada");
  for (let count = 1; count <= 60; count++) say(chat, ada.member, String(count));
  const bob = enter(chat, "Bob");
  const joined = bob.got.find(({ type }) => type === "joined")!;
  assertEquals((joined.history as Message[]).map(({ text }) => text), Array.from({ length: 50 }, (_, at) => String(at + 11)));
  chat.remove(ada.member);
  chat.remove(bob.member);
  const eve = enter(chat, "Eve");
  assertEquals(eve.got[0], { type: "rooms", rooms: [] });
  assertEquals(eve.got.find(({ type }) => type === "joined")!.history, []);
});

Deno.test("Chat opens no more than 100 rooms", () => {
  const chat = new Chat();
  for (let count = 1; count <= 100; count++) enter(chat, `user ${count}`, `room-${count}`);
  assertEquals(types(enter(chat, "late", "one-more").got).at(-1), "error");
  assertEquals(types(enter(chat, "later", "room-1").got).includes("joined"), true);
});

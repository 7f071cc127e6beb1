/**
 * The rooms and their members; it knows nothing of sockets.
 *
 * A client sends `join { name?, room }` and `message { text }`. It gets `joined { name, room, users, history }`, `message { name, text, at }`,
 * `user_joined` and `user_left { name, users }`, `rooms { rooms: [{ name, count }] }` and `error { message }`.
 */

/** Somebody who is connected, in a room or not yet. */
export interface Member {
  name: string;
  room: string | null;
  readonly deliver: (message: Message) => void;
}

/** What a member gets. */
export type Message = { readonly type: string } & Readonly<Record<string, unknown>>;

interface Room {
  readonly members: Set<Member>;
  readonly history: Message[];
}

const MAX_HISTORY = 50;
const MAX_TEXT = 2000;
const MAX_ROOMS = 100;
const NAME = /^[\p{L}\p{N}][\p{L}\p{N} _.-]{0,19}$/u;
const ROOM = /^[\p{L}\p{N}][\p{L}\p{N}_-]{0,29}$/u;

/** All rooms of one app. */
export class Chat {
  readonly #members = new Set<Member>();
  readonly #rooms = new Map<string, Room>();
  #guests = 0;

  /** A new connection. */
  add(deliver: (message: Message) => void): Member {
    const member: Member = { name: `guest ${++this.#guests}`, room: null, deliver };
    this.#members.add(member);
    deliver(this.#roomList());
    return member;
  }

  /** A connection has ended. */
  remove(member: Member): void {
    this.#members.delete(member);
    this.#leave(member);
  }

  /** What a client has sent. */
  handle(member: Member, text: string): void {
    const message = parse(text);
    switch (message?.type) {
      case "join":
        return this.#join(member, message.name, message.room);
      case "message":
        return this.#say(member, message.text);
      default:
        member.deliver({ type: "error", message: "Send JSON of type join or message" });
    }
  }

  #join(member: Member, name: unknown, roomName: unknown): void {
    const wanted = name === undefined ? member.name : toText(name);
    const key = toText(roomName).toLowerCase();
    if (!NAME.test(wanted)) return member.deliver({ type: "error", message: "A name is 1 to 20 letters, digits, blanks, dots or dashes" });
    if (!ROOM.test(key)) return member.deliver({ type: "error", message: "A room is 1 to 30 letters, digits or dashes" });
    if (!this.#rooms.has(key) && this.#rooms.size >= MAX_ROOMS) {
      return member.deliver({ type: "error", message: "There are too many rooms" });
    }
    const isTaken = [...this.#members].some((other) => other !== member && other.room !== null && sameName(other.name, wanted));
    if (isTaken) return member.deliver({ type: "error", message: `The name ${wanted} is taken` });

    this.#leave(member);
    const room = this.#rooms.get(key) ?? { members: new Set(), history: [] };
    this.#rooms.set(key, room);
    member.name = wanted;
    member.room = key;
    room.members.add(member);
    member.deliver({ type: "joined", name: wanted, room: key, users: users(room), history: room.history });
    for (const other of room.members) if (other !== member) other.deliver({ type: "user_joined", name: wanted, users: users(room) });
    this.#announceRooms();
  }

  #say(member: Member, text: unknown): void {
    const room = member.room === null ? undefined : this.#rooms.get(member.room);
    if (room === undefined) return member.deliver({ type: "error", message: "Join a room first" });
    if (typeof text !== "string" || text.trim() === "") return member.deliver({ type: "error", message: "The message is empty" });
    if (text.length > MAX_TEXT) return member.deliver({ type: "error", message: `A message has at most ${MAX_TEXT} characters` });
    const message = { type: "message", name: member.name, text, at: new Date().toISOString() };
    room.history.push(message);
    if (room.history.length > MAX_HISTORY) room.history.shift();
    for (const other of room.members) other.deliver(message);
  }

  #leave(member: Member): void {
    const room = member.room === null ? undefined : this.#rooms.get(member.room);
    if (room === undefined) return;
    room.members.delete(member);
    if (room.members.size === 0) this.#rooms.delete(member.room!);
    member.room = null;
    for (const other of room.members) other.deliver({ type: "user_left", name: member.name, users: users(room) });
    this.#announceRooms();
  }

  #announceRooms(): void {
    const list = this.#roomList();
    for (const member of this.#members) member.deliver(list);
  }

  #roomList(): Message {
    return { type: "rooms", rooms: [...this.#rooms].map(([name, { members }]) => ({ name, count: members.size })) };
  }
}

function users(room: Room): string[] {
  return [...room.members].map((member) => member.name).sort((a, b) => a.localeCompare(b));
}

function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return value !== null && typeof value === "object" ? value as Record<string, unknown> : null;
  } catch {
    return null; // the caller tells the client
  }
}

/** What is no text is none: a client may send anything. */
function toText(value: unknown): string {
  return typeof value === "string" ? value.trim().normalize() : "";
}

/**
 * Calls of one who has nothing to do with what others are about: a directory of its own, and in it a file that it has open, so that
 * it finds all names on the way to it though nobody answers.
 *
 * Whatever others wait for, these calls come to their end.
 */
import type { AsyncCall } from "./async-call.ts";
import { O_RDWR } from "./model.ts";

/** Slots that no program has. */
const OPEN = 10;
const OTHER = 11;

function call(name: string, ...args: AsyncCall["args"]): AsyncCall {
  return { task: 0, call: name, args, form: "promise" };
}

/** Made before anything is held. */
export const BYSTANDER_OPENS: AsyncCall = { ...call("open", "z/a", OPEN, O_RDWR), form: "sync" };

export const BYSTANDER_CALLS: readonly AsyncCall[] = [
  call("read", OPEN, 0, 2),
  call("write", OPEN, 1, 2, "X"),
  call("fsync", OPEN),
  call("readFile", "z/a"),
  call("writeFile", "z/b", 5, "Y"),
  call("open", "z/b", OTHER, O_RDWR),
  call("fdatasync", OTHER),
  call("ftruncate", OTHER, 1),
  call("rename", "z/b", "z/c"),
  call("readdir", "z"),
  call("unlink", "z/c"),
  call("close", OTHER),
];

export const BYSTANDER_CLOSES: AsyncCall = call("close", OPEN);

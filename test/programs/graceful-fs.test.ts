/** graceful-fs over foliofs: it clones the object, and puts its own functions and stream classes into the clone. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { both } from "./both.ts";
import { makeProgramFolder, type ProgramFolder } from "./program-folder.ts";

let user: ProgramFolder;

beforeAll(() => {
  user = makeProgramFolder();
});

afterAll(() => user?.remove());

const PROGRAM = `
const { createFsSync } = require("foliofs");
const { gracefulify } = require("graceful-fs");

const fs = createFsSync({ maxFiles: 16 });
const untouched = { ...fs };
const graceful = gracefulify({ ...fs });
const say = (...values) => console.log(values.map(String).join(" "));

(async () => {
  say(Object.keys(fs).every((name) => fs[name] === untouched[name]), graceful.ReadStream !== fs.ReadStream);
  await new Promise((resolve, reject) =>
    graceful.createWriteStream("/file").on("error", reject).on("close", resolve).end("text"));
  let text = "";
  for await (const chunk of graceful.createReadStream("/file", "utf8")) text += chunk;
  say(text, graceful.createReadStream("/file") instanceof graceful.ReadStream, graceful.createReadStream("/file") instanceof fs.ReadStream);
  // More at once than may be open: they wait for their turn, where fs itself fails by EMFILE.
  const all = Array.from({ length: 100 }, (_, i) => new Promise((resolve, reject) => {
    const out = new graceful.WriteStream("/many-" + i);
    out.on("error", reject).on("close", resolve).end(String(i));
  }));
  await Promise.all(all);
  const read = await Promise.all(all.map((_, i) => new Promise((resolve, reject) =>
    graceful.readFile("/many-" + i, "utf8", (error, data) => (error ? reject(error) : resolve(data))))));
  say(read.every((data, i) => data === String(i)), graceful.readdirSync("/").length);
})();
`;

it("clones it and works, with streams, and waits where too many files are open", () => {
  expect(user.node("program.cjs", PROGRAM)).toBe("true true\ntext true true\ntrue 101\n");
});

it("does the same as on the host, and waits there too", () => {
  expect(both("graceful-fs.mjs", { maxFiles: 100 })).not.toContain("EMFILE");
});

it("does the same as a user", () => {
  expect(both("graceful-fs.mjs", { uid: 1000 })).toContain('"EACCES"');
});

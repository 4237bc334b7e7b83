/** cp of names and links that are no UTF-8: they come out as they are, in all forms, as with Node 26 where no filter is given. */
import { strict as assert } from "node:assert";
import { afterAll, describe, it } from "vitest";
import { isFollowedVersion } from "../../differential/versions.ts";
import { createFoliofsSubject, loadFoliofs } from "../../helpers/subject-foliofs.ts";
import { createNodeFsSubject } from "../../helpers/subject-node-fs.ts";

const FORMS = ["sync", "callback", "promise"] as const;
const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part) : Buffer.from(part))));

type Fs = typeof import("node:fs");

const oracle = createNodeFsSubject();
const foliofs = createFoliofsSubject(await loadFoliofs(), oracle.root);
/** Node 26 itself runs what it can. */
const SUBJECTS = [foliofs, ...(isFollowedVersion() ? [oracle] : [])];

afterAll(() => {
  for (const subject of [oracle, foliofs]) subject.dispose();
});

function copy(fs: Fs, form: (typeof FORMS)[number], src: string, dest: string, options: object): Promise<void> {
  if (form === "promise") return fs.promises.cp(src, dest, options);
  if (form === "sync") return Promise.resolve(fs.cpSync(src, dest, options));
  return new Promise((resolve, reject) => fs.cp(src, dest, options, (error) => (error ? reject(error) : resolve())));
}

/** Names, contents and targets below a directory, as bytes. */
function listed(fs: Fs, root: string): string[] {
  const names = fs.readdirSync(root, { encoding: "buffer", recursive: true }) as unknown as Buffer[];
  return names
    .map((name) => {
      const path = bytes(root, "/", [...name]);
      const stats = fs.lstatSync(path);
      const data = stats.isSymbolicLink()
        ? Buffer.from(fs.readlinkSync(path, "buffer"))
        : stats.isFile()
          ? Buffer.from(fs.readFileSync(path))
          : Buffer.alloc(0);
      return `${name.toString("latin1")} ${stats.mode.toString(8)} ${data.toString("latin1")}`;
    })
    .sort();
}

function tree(subject = foliofs): { fs: Fs; root: string } {
  const fs = subject.fs as unknown as Fs;
  const root = `${subject.root}/cp`;
  fs.rmSync(root, { recursive: true, force: true });
  fs.mkdirSync(bytes(root, "/a/", [0xfe, 0x41], "/below"), { recursive: true });
  fs.writeFileSync(bytes(root, "/a/", [0xff]), "one");
  fs.writeFileSync(bytes(root, "/a/", [0xfe, 0x41], "/below/é", [0xc3]), "two");
  fs.writeFileSync(`${root}/a/\ufffd`, "a name that is text");
  fs.symlinkSync(bytes([0xfd], "/x"), `${root}/a/relative`);
  fs.symlinkSync(bytes("/", [0xfd]), bytes(root, "/a/", [0xfe, 0x41], "/absolute", [0x80]));
  fs.symlinkSync("text", bytes(root, "/a/", [0xfe, 0x41], "/link", [0x80]));
  return { fs, root };
}

describe.each(FORMS)("cp of what is no UTF-8: %s", (form) => {
  it.each(SUBJECTS)("copies names and targets: $name", async (subject) => {
    const { fs, root } = tree(subject);
    await copy(fs, form, `${root}/a`, `${root}/b`, { recursive: true, verbatimSymlinks: true });
    assert.deepEqual(listed(fs, `${root}/b`), listed(fs, `${root}/a`));
  });

  it.each(SUBJECTS)("makes relative targets lead from the root: $name", async (subject) => {
    const { fs, root } = tree(subject);
    await copy(fs, form, `${root}/a`, `${root}/b`, { recursive: true });
    const targetOf = (...path: (string | number[])[]): string =>
      Buffer.from(fs.readlinkSync(bytes(root, "/b/", ...path), "buffer")).toString("latin1");
    assert.equal(targetOf("relative"), bytes(root, "/a/", [0xfd], "/x").toString("latin1"));
    assert.equal(targetOf([0xfe, 0x41], "/link", [0x80]), bytes(root, "/a/", [0xfe, 0x41], "/text").toString("latin1"));
    assert.equal(targetOf([0xfe, 0x41], "/absolute", [0x80]), bytes("/", [0xfd]).toString("latin1"));
  });

  it("shows them to a filter as text", async () => {
    const { fs, root } = tree();
    const asked: string[] = [];
    const filter = (src: string): boolean => asked.push(src.slice(root.length)) > 0 && !src.endsWith("A");
    await copy(fs, form, `${root}/a`, `${root}/b`, { recursive: true, filter });
    assert.deepEqual(asked.sort(), ["/a", "/a/relative", "/a/\ufffd", "/a/\ufffd", "/a/\ufffdA"]);
    assert.equal(fs.readFileSync(bytes(root, "/b/", [0xff]), "utf8"), "one");
    assert(!fs.existsSync(bytes(root, "/b/", [0xfe, 0x41])));
  });
});

describe("cpSync of paths that are no UTF-8", () => {
  /** What a call gives, without what differs from root to root; then all that is there. */
  function outcome({ fs, root }: { fs: Fs; root: string }, src: Buffer, dest: Buffer, options?: object): unknown {
    try {
      fs.cpSync(src as unknown as string, dest as unknown as string, options);
    } catch (error) {
      const { code, message, syscall, path } = error as NodeJS.ErrnoException;
      return [
        code,
        message.replaceAll(root, ""),
        syscall,
        path?.replaceAll(root, ""),
        Object.keys(error as object),
        listed(fs, root),
      ];
    }
    return listed(fs, root);
  }

  const at = (root: string, ...parts: (string | number[])[]): Buffer => bytes(root, "/", ...parts);
  const CASES: Readonly<Record<string, (root: string) => [Buffer, Buffer, object?]>> = {
    "a file": (root) => [at(root, "a/", [0xff]), at(root, "b", [0xfd])],
    "a file into directories that are still to be made": (root) => [
      at(root, "a/", [0xff]),
      at(root, "n", [0xfd], "/x/y", [0xfd]),
    ],
    "a file from bytes to text": (root) => [at(root, "a/", [0xff]), at(root, "text")],
    "a file onto another": (root) => [at(root, "a/", [0xff]), at(root, "a/", [0xfe, 0x41], "/below/é", [0xc3])],
    "a tree": (root) => [
      at(root, "a/", [0xfe, 0x41]),
      at(root, "b", [0xfd]),
      { recursive: true, verbatimSymlinks: true },
    ],
    "a tree of names that are text": (root) => [
      at(root, "a"),
      at(root, "b"),
      { recursive: true, verbatimSymlinks: true },
    ],
    "a tree over itself": (root) => [at(root, "a/", [0xfe, 0x41]), at(root, "a/", [0xfe, 0x41]), { recursive: true }],
    "a tree into itself": (root) => [
      at(root, "a/", [0xfe, 0x41]),
      at(root, "a/", [0xfe, 0x41], "/below/x"),
      { recursive: true },
    ],
    "a tree without recursive": (root) => [at(root, "a/", [0xfe, 0x41]), at(root, "b")],
    "a tree over a file": (root) => [at(root, "a/", [0xfe, 0x41]), at(root, "a/", [0xff]), { recursive: true }],
    "a file over a tree": (root) => [at(root, "a/", [0xff]), at(root, "a/", [0xfe, 0x41]), { recursive: true }],
    nothing: (root) => [at(root, "none", [0xff]), at(root, "b")],
  };

  it.skipIf(!isFollowedVersion()).each(Object.keys(CASES))("does as Node 26's: %s", (name) => {
    const [ours, theirs] = [foliofs, oracle].map((subject) => {
      const made = tree(subject);
      return outcome(made, ...CASES[name](made.root));
    });
    assert.deepEqual(ours, theirs);
  });

  it("copies bytes whatever the version of Node", () => {
    const { fs, root } = tree();
    fs.cpSync(at(root, "a/", [0xfe, 0x41]) as unknown as string, at(root, "n", [0xfd], "/b") as unknown as string, {
      recursive: true,
      verbatimSymlinks: true,
    });
    const [copied, original] = [
      at(root, "n", [0xfd], "/b/below/é", [0xc3]),
      at(root, "a/", [0xfe, 0x41], "/below/é", [0xc3]),
    ];
    assert.equal(fs.readFileSync(copied, "utf8"), fs.readFileSync(original, "utf8"));
  });

  it.each(["callback", "promise"] as const)("is for cpSync alone, as in Node: %s", async (form) => {
    for (const subject of [foliofs, oracle]) {
      const { fs, root } = tree(subject);
      const call = async (): Promise<void> =>
        copy(fs, form, at(root, "a/", [0xff]) as unknown as string, at(root, "b") as unknown as string, {});
      await assert.rejects(call, { code: "ERR_INVALID_ARG_TYPE" });
      assert(!fs.existsSync(`${root}/b`));
    }
  });
});

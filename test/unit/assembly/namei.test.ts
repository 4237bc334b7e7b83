import { strict as assert } from "node:assert";
import fc from "fast-check";
import { describe, it } from "vitest";
import { EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR } from "../../../src/base/errno.ts";
import type {
  DentryHandle,
  InodeHandle,
  MountHandle,
  SuperBlockHandle,
  TaskHandle,
} from "../../../src/base/handles.ts";
import { RESULT, SLOT } from "../../../src/wasm/core.ts";
import {
  HANDOVER_GET_LINK,
  HANDOVER_LOOKUP,
  HANDOVER_PERMISSION,
  HANDOVER_REVALIDATE,
  INODE_GID,
  INODE_MODE,
  INODE_UID,
  LOOKUP_DIRECTORY,
  LOOKUP_FOLLOW,
  LOOKUP_LAST,
  LOOKUP_OPEN,
  RESULT_ADDRESS,
  SB_COMPLETE,
  SB_GET_LINK,
  SB_LOOKUP,
  SB_MEMORY,
  SB_PERMISSION,
  SB_REVALIDATE,
  SLOT_ND_CANDIDATE,
  SLOT_ND_DENTRY,
  SLOT_ND_LAST,
  SLOT_ND_LAST_LEN,
  SLOT_ND_LAST_TYPE,
  SLOT_ND_LINK_BODY,
  SLOT_ND_MOUNT,
  SLOT_ND_PARENT,
  SLOT_ND_PARENT_MOUNT,
  SLOT_ND_PERMITTED,
  SLOT_ND_REVALIDATED,
  SLOT_ND_SUPPLIED,
  SLOT_ND_TRAILING,
} from "../../../src/wasm/layout.ts";
import { anyNumber, checkModel, NOW_MS, putBytes, verify, World } from "../../helpers/core.ts";
import { type ModelMount, type ModelNode, type ModelTask, PathModel, type Place } from "../../helpers/path-model.ts";

const MODES = [0o755, 0o711, 0o700, 0o070, 0o001, 0o644];
const CREDENTIALS = [
  { uid: 0, gids: [0] },
  { uid: 1, gids: [1, 5] },
  { uid: 2, gids: [2] },
];

const ND_RESULT = [
  SLOT_ND_DENTRY,
  SLOT_ND_MOUNT,
  SLOT_ND_PARENT,
  SLOT_ND_PARENT_MOUNT,
  SLOT_ND_LAST,
  SLOT_ND_LAST_LEN,
  SLOT_ND_LAST_TYPE,
  SLOT_ND_TRAILING,
];

/** A world with a tree of directories, files, links and mounts, and the same in the model. */
class Tree {
  readonly world = new World();
  readonly model = new PathModel();
  readonly nodes: ModelNode[] = [];
  readonly tasks: { handle: TaskHandle; model: ModelTask }[];
  readonly mounted: { mnt: MountHandle; sb: SuperBlockHandle }[] = [];
  lastPath = "/";
  #current: TaskHandle | undefined;

  constructor() {
    const { world } = this;
    const root = this.#addRoot(world.root, world.mnt, undefined, undefined);
    this.tasks = CREDENTIALS.map(({ uid, gids }) => ({
      handle: world.newTask(uid, gids[0], gids.slice(1)),
      model: { uid, gids, root, cwd: root },
    }));
  }

  #addRoot(dentry: DentryHandle, handle: MountHandle, parent?: ModelMount, mountpoint?: ModelNode): Place {
    const node = {
      kind: "dir",
      dentry,
      entries: new Map(),
      target: "",
      mode: 0o755,
      uid: 0,
      gid: 0,
    } as unknown as ModelNode;
    node.parent = node;
    this.nodes.push(node);
    const mnt = { handle, root: node, parent, mountpoint };
    this.model.mounts.push(mnt);
    return { mnt, node };
  }

  add(parent: ModelNode, name: string, kind: ModelNode["kind"], target: string, any: number): void {
    if (parent.kind !== "dir" || parent.entries.has(name)) return;
    const { world } = this;
    const mode = MODES[any % MODES.length];
    const dentry =
      kind === "link"
        ? world.makeLink(parent.dentry, name, target)
        : world.make(parent.dentry, name, (kind === "dir" ? 0o40000 : 0o100000) | mode);
    const at = world.inodeOf(dentry) << 3;
    const [uid, gid] = [any % 3, (any >> 4) % 6];
    world.core.u32[at + INODE_UID] = uid;
    world.core.u32[at + INODE_GID] = gid;
    const node = { kind, dentry, parent, entries: new Map(), target, mode, uid, gid };
    parent.entries.set(name, node);
    this.nodes.push(node);
  }

  /** Hangs a new file system over a directory. */
  mount(mountpoint: ModelNode): void {
    if (mountpoint.kind !== "dir" || this.mounted.length > 3) return;
    const { x } = this.world;
    const parent = this.model.mounts.findLast(({ root }) => root === rootOf(mountpoint));
    if (!parent || mountpoint === parent.root) return;
    const sb = x.superNew(0, SB_MEMORY | SB_COMPLETE) as SuperBlockHandle;
    const root = x.makeRoot(sb, 0o755, 0, 0, 0, NOW_MS) as DentryHandle;
    const mnt = x.mountNew(sb, root, 0) as MountHandle;
    x.mountAttach(mnt, parent.handle, mountpoint.dentry);
    this.mounted.push({ mnt, sb });
    this.#addRoot(root, mnt, parent, mountpoint);
  }

  placeOf(node: ModelNode): Place {
    const mnt = this.model.mounts.findLast(({ root }) => root === rootOf(node)) as ModelMount;
    return { mnt, node };
  }

  /** Moves a task's working directory or root. */
  move(which: number, node: ModelNode, field: "cwd" | "root"): void {
    if (node.kind !== "dir") return;
    const { handle, model } = this.tasks[which];
    const place = this.placeOf(node);
    const { x } = this.world;
    if (field === "cwd") x.taskSetCwd(handle, place.mnt.handle, node.dentry);
    else x.taskSetRoot(handle, place.mnt.handle, node.dentry);
    model[field] = place;
  }

  /** Walks twice, the second time without what the slot remembers of the last walk. */
  walk(which: number, path: string, flags: number): void {
    const { world } = this;
    const { handle, model } = this.tasks[which];
    if (this.#current !== handle) world.x.setCurrent(handle);
    this.#current = handle;
    this.lastPath = path;
    const found = world.walk(path, flags);
    const result = ND_RESULT.map((field) => world.core.u32[SLOT + field]);
    world.x.setCurrent(handle);
    assert.equal(world.walk(path, flags), found);
    if (found >= 0)
      assert.deepEqual(
        result,
        ND_RESULT.map((field) => world.core.u32[SLOT + field]),
      );
    const expected = this.model.walk(model, path, flags);
    const at = (field: number): number => world.core.u32[SLOT + field];
    if ("errno" in expected) {
      assert.equal(found, -expected.errno);
    } else if ("place" in expected) {
      assert.equal(found, expected.place.node.dentry);
      assert.equal(at(SLOT_ND_DENTRY) >>> 5, expected.place.node.dentry);
      assert.equal(at(SLOT_ND_MOUNT) >>> 5, expected.place.mnt.handle);
      assert.equal(at(SLOT_ND_TRAILING), expected.trailing ? 1 : 0);
    } else {
      assert.equal(found, 0);
      assert.equal(at(SLOT_ND_PARENT) >>> 5, expected.parent.node.dentry);
      assert.equal(at(SLOT_ND_PARENT_MOUNT) >>> 5, expected.parent.mnt.handle);
      const last = world.core.u8.slice(at(SLOT_ND_LAST), at(SLOT_ND_LAST) + at(SLOT_ND_LAST_LEN));
      assert.equal(Buffer.from(last).toString(), expected.last);
      assert.equal(at(SLOT_ND_TRAILING), expected.trailing ? 1 : 0);
    }
  }

  finish(): void {
    const { world } = this;
    const { x } = world;
    verify(world.core);
    for (const { handle } of this.tasks) x.taskFree(handle);
    for (const { mnt, sb } of this.mounted.reverse()) {
      x.mountDetach(mnt);
      x.mountPut(mnt);
      x.superShrink(sb);
      x.superFree(sb);
    }
    world.dispose();
  }
}

function rootOf(node: ModelNode): ModelNode {
  let at = node;
  while (at.parent !== at) at = at.parent;
  return at;
}

const anyName = fc.constantFrom("a", "b", "c", "dd", "name-of-fifteen", "x".repeat(255));
const component = fc.oneof(
  { weight: 8, arbitrary: anyName },
  { weight: 3, arbitrary: fc.constantFrom(".", "..", "..", "", "") },
  { weight: 1, arbitrary: fc.constantFrom("missing", "...", "y".repeat(256)) },
);
const anyPath = fc
  .record({
    parts: fc.array(component, { minLength: 1, maxLength: 6 }),
    before: fc.constantFrom("", "", "/", "//"),
    after: fc.constantFrom("", "", "/", "//"),
  })
  .map(({ parts, before, after }) => (before + parts.join("/") + after).slice(0, 2000) || ".");
const FLAGS = [
  LOOKUP_FOLLOW,
  0,
  LOOKUP_LAST,
  LOOKUP_LAST | LOOKUP_OPEN | LOOKUP_FOLLOW,
  LOOKUP_FOLLOW | LOOKUP_DIRECTORY,
  LOOKUP_DIRECTORY,
];

const operation = fc.record({
  kind: fc.constantFrom(..."add add add add link link mount cwd root walk walk walk walk near near near".split(" ")),
  name: anyName,
  path: anyPath,
  a: anyNumber,
  b: anyNumber,
});

/** A path into the directory that another one leads to, or to the directory itself. */
function near(path: string, name: string, any: number): string {
  const dir = path.slice(0, path.lastIndexOf("/") + 1);
  return [`${dir}${name}`, `${dir}${name}/`, `${dir}${name}/${name}`, dir || ".", `${dir}/`, `${dir}/${name}`][any % 6];
}

describe("path walk", () => {
  it("ends where the model ends, with the same error, for any tree, task and flags", () => {
    checkModel(operation, 200, (ops) => {
      const tree = new Tree();
      for (const { kind, name, path, a, b } of ops) {
        const node = tree.nodes[a % tree.nodes.length];
        if (kind === "add") tree.add(node, name, b % 4 === 0 ? "file" : "dir", "", b >> 3);
        else if (kind === "link") tree.add(node, name, "link", path, b >> 3);
        else if (kind === "mount") tree.mount(node);
        else if (kind === "cwd") tree.move(b % 3, node, "cwd");
        else if (kind === "root" && b % 4 === 0) tree.move(a % 3, node, "root");
        else if (kind === "near") tree.walk(b % 2, near(tree.lastPath, name, a), FLAGS[b % FLAGS.length]);
        else tree.walk(b % 3, path, FLAGS[a % FLAGS.length]);
      }
      tree.finish();
    });
  });

  it("follows 40 symbolic links, not 41, in a chain and nested", () => {
    const world = new World();
    world.make(world.root, "file", 0o100644);
    world.makeLink(world.root, "l1", "file");
    for (let i = 2; i <= 41; i++) world.makeLink(world.root, `l${i}`, i % 2 ? `/l${i - 1}` : `l${i - 1}`);
    assert.equal(world.walk("/l40", LOOKUP_FOLLOW), world.find(world.root, "file"));
    assert.equal(world.walk("/l41", LOOKUP_FOLLOW), -ELOOP);
    assert.equal(world.walk("/l41", 0), world.find(world.root, "l41"));
    world.makeLink(world.root, "self", "self");
    assert.equal(world.walk("self", LOOKUP_FOLLOW), -ELOOP);
    assert.equal(world.walk("self/", 0), -ELOOP);
    world.dispose();
  });

  it("refuses what is empty, too long, no directory", () => {
    const world = new World();
    world.make(world.root, "file", 0o100644);
    assert.equal(world.walk("", LOOKUP_FOLLOW), -ENOENT);
    assert.equal(world.walk("/".repeat(4095), LOOKUP_FOLLOW), world.root);
    assert.equal(world.walk("a".repeat(256), 0), -ENAMETOOLONG);
    assert.equal(world.walk("a".repeat(256), LOOKUP_LAST | LOOKUP_OPEN), -ENAMETOOLONG);
    assert.equal(world.walk("a".repeat(256), LOOKUP_LAST), 0, "the caller looks at the length");
    assert.equal(world.walk("a".repeat(255), LOOKUP_LAST), 0);
    for (const path of ["file/", "file/.", "file/..", "file/x", "file//"]) assert.equal(world.walk(path, 0), -ENOTDIR);
    world.dispose();
  });

  it("reads the longest target of a link, wherever in memory it lies", () => {
    const world = new World({ limitBytes: 2 ** 20 });
    world.make(world.root, "f", 0o100644);
    const target = `${"./".repeat(2047)}f`;
    assert.equal(target.length, 4095);
    let nr = 0;
    while (world.makeLink(world.root, `link${nr}`, target) > 0) nr++;
    assert.ok(nr > 50);
    for (let i = 0; i < nr; i++) assert.equal(world.walk(`link${i}`, LOOKUP_FOLLOW), world.find(world.root, "f"));
    world.dispose();
  });

  it("needs search permission for every directory on the way, for . and .. too", () => {
    const world = new World();
    const dir = world.make(world.root, "dir", 0o40700);
    world.make(dir, "file", 0o100644);
    world.x.setCurrent(world.newTask(1000, 1000));
    for (const path of ["dir/file", "dir/.", "dir/..", "dir/none"]) assert.equal(world.walk(path, 0), -EACCES);
    assert.equal(world.walk("dir", 0), dir);
    world.core.u32[(world.inodeOf(dir) << 3) + INODE_MODE] = 0o40701;
    assert.ok(world.walk("dir/file", 0) > 0);
    world.dispose();
  });
});

describe("path of a place", () => {
  it("is the path that leads there from the task's root, through mounts", () => {
    const tree = new Tree();
    const [root] = tree.nodes;
    tree.add(root, "a", "dir", "", 0);
    tree.add(tree.nodes[1], "b", "dir", "", 0);
    tree.mount(tree.nodes[2]);
    tree.add(tree.nodes[3], "c", "dir", "", 0);
    const pathOf = (node: ModelNode): string | number => {
      const n = tree.world.x.dPath(tree.placeOf(node).mnt.handle, node.dentry);
      const at = tree.world.core.f64[RESULT + RESULT_ADDRESS];
      return n < 0 ? n : Buffer.from(tree.world.core.u8.slice(at, at + n)).toString();
    };
    tree.world.x.setCurrent(tree.tasks[0].handle);
    assert.deepEqual(tree.nodes.map(pathOf), ["/", "/a", "/a/b", "/a/b", "/a/b/c"]);
    tree.move(0, tree.nodes[1], "root");
    assert.deepEqual(tree.nodes.map(pathOf), [-ENOENT, "/", "/b", "/b", "/b/c"]);
    tree.finish();
  });

  it("is refused when it is longer than PATH_MAX, or was removed", () => {
    const world = new World();
    let dentry = world.root;
    for (let i = 0; i < 17; i++) dentry = world.make(dentry, "x".repeat(255), 0o40755);
    assert.equal(world.x.dPath(world.mnt, dentry), -ENAMETOOLONG);
    world.x.dget(dentry);
    assert.equal(world.rmdir(dentry), 0);
    assert.equal(world.x.dPath(world.mnt, dentry), -ENOENT);
    world.x.dput(dentry);
    world.dispose();
  });
});

describe("handovers of the walk", () => {
  const set = (world: World, field: number, handle: number): void => {
    world.core.u32[SLOT + field] = handle << 5;
  };

  it("ask for a lookup once, and go on with its answer", () => {
    const world = new World({ sbFlags: SB_LOOKUP });
    assert.equal(world.walk("a/b", LOOKUP_FOLLOW), -HANDOVER_LOOKUP);
    const at = world.core.u32[SLOT + SLOT_ND_LAST];
    assert.equal(world.core.u8[at], 0x61);
    const dentry = world.x.dAlloc(world.root, putBytes(world.core, "a"), 0) as DentryHandle;
    putBytes(world.core, "a/b");
    world.x.dInstantiate(dentry, world.x.inodeNew(world.sb, 0o40755, 0, 0, 0) as InodeHandle);
    world.x.dAdd(dentry);
    world.x.dput(dentry);
    set(world, SLOT_ND_SUPPLIED, dentry);
    assert.equal(world.x.walkResume(), -HANDOVER_LOOKUP);
    const missing = world.x.dAlloc(dentry, putBytes(world.core, "b"), 0) as DentryHandle;
    putBytes(world.core, "a/b");
    world.x.dAdd(missing);
    world.x.dput(missing);
    set(world, SLOT_ND_SUPPLIED, missing);
    assert.equal(world.x.walkResume(), -ENOENT);
    assert.equal(world.walk("a/b", LOOKUP_FOLLOW), -ENOENT, "both names are known now");
    assert.equal(world.walk("a", LOOKUP_FOLLOW), dentry);
    world.x.shrinkDcache(10);
    world.dispose();
  });

  it("ask for permission in every directory", () => {
    const world = new World({ sbFlags: SB_MEMORY | SB_COMPLETE | SB_PERMISSION });
    const dir = world.make(world.root, "dir", 0o40755);
    const file = world.make(dir, "f", 0o100644);
    assert.equal(world.walk("dir/./f", 0), -HANDOVER_PERMISSION);
    set(world, SLOT_ND_PERMITTED, world.inodeOf(world.root));
    assert.equal(world.x.walkResume(), -HANDOVER_PERMISSION);
    set(world, SLOT_ND_PERMITTED, world.inodeOf(dir));
    assert.equal(world.x.walkResume(), file);
    world.dispose();
  });

  it("ask whether a known name is still true, and where a link leads", () => {
    const world = new World({ sbFlags: SB_LOOKUP | SB_REVALIDATE | SB_GET_LINK });
    const file = world.make(world.root, "f", 0o100644);
    const link = world.make(world.root, "l", 0o120777);
    assert.equal(world.walk("l", LOOKUP_FOLLOW), -HANDOVER_REVALIDATE);
    assert.equal(world.core.u32[SLOT + SLOT_ND_CANDIDATE] >>> 5, link);
    set(world, SLOT_ND_REVALIDATED, link);
    assert.equal(world.x.walkResume(), -HANDOVER_GET_LINK);
    const body = world.x.kmalloc(32) >>> 0;
    world.core.u8[body] = 0x66;
    world.core.u32[SLOT + SLOT_ND_LINK_BODY] = body;
    set(world, SLOT_ND_REVALIDATED, link);
    assert.equal(world.x.walkResume(), -HANDOVER_REVALIDATE);
    set(world, SLOT_ND_REVALIDATED, file);
    assert.equal(world.x.walkResume(), file);
    world.x.kfree(body);
    world.dispose();
  });
});

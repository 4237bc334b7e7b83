/**
 * Layers over one base as plain trees, each with what it shows, and the same on a real kernel: whatever is done to one is done to the
 * other, and both are compared.
 *
 * What a layer has changed is a file of its own (`own`); all others are the base's, shared as objects. When another layer is committed
 * the model reads from the real upper layer which names that hides, and works out by itself what shows then.
 */
import { strict as assert } from "node:assert";
import type { DentryHandle } from "../../src/base/handles.ts";
import { childrenOf, inodeOf, isDirectory, isWhiteout, nameOf } from "../../src/fs/overlay/layer-names.ts";
import { type Layer as OverlayLayer, overlayOf } from "../../src/fs/overlay/layers.ts";
import { isOpaque } from "../../src/fs/overlay/lookup.ts";
import { redirectOf } from "../../src/fs/overlay/redirect.ts";
import { createFsSync, type FolioFs } from "../../src/index.ts";
import type { Layer } from "../../src/layers.ts";
import { overlay } from "../../src/layers.ts";

/** A file or a symbolic link: what its names have in common. */
export interface FileObject {
  isLink: boolean;
  data: string;
  mode: number;
  xattr: string;
}

/** A name of a file. Open files hold it, whatever becomes of it. */
interface Slot {
  obj: FileObject;
}

interface Dir {
  /** Which directory it is, wherever it is. */
  id: object;
  mode: number;
  children: Map<string, Slot | Dir>;
}

interface Open {
  readonly fd: number;
  readonly slot: Slot;
  readonly writes: boolean;
}

/** A layer, real and modelled. */
interface Layered {
  readonly target: string;
  layer: Layer;
  view: Dir;
  own: Set<FileObject>;
  files: Open[];
  /** A task stands in it. */
  isHeld: boolean;
}

const TARGETS = ["/x", "/y", "/z"];
const NAMES = ["a", "b", "c", "d"];
const FULL = ["ENOSPC", "ENOMEM"];

function isDir(node: Slot | Dir | undefined): node is Dir {
  return node !== undefined && "children" in node;
}

function newDir(mode = 0o755): Dir {
  return { id: {}, mode, children: new Map() };
}

/** One step of a program: what to do, and numbers that choose on what. */
export type CommitStep = readonly [kind: string, ...choices: number[]];

export const KINDS = [
  ...["write", "write", "create", "mkdir", "mkdir", "unlink", "rmdir", "rm", "rename", "rename", "rename", "exchange"],
  ...[
    "link",
    "symlink",
    "chmod",
    "setxattr",
    "open",
    "openWrite",
    "writeOpen",
    "close",
    "stand",
    "stat",
    "drop caches",
  ],
  ...["commit", "commit", "commit", "commit", "fork", "reset", "drop", "layer", "layer"],
];

export class CommitModel {
  readonly fs: FolioFs;
  readonly #layers = new Map<string, Layered>();
  #base: Dir = newDir();
  readonly #usedBefore: number;
  /** Calls that have been done and refused, by kind. */
  readonly counts = new Map<string, number>();

  constructor() {
    const fs = createFsSync({ memoryLimit: 24 * 2 ** 20, types: [overlay] });
    this.fs = fs;
    for (const target of [...TARGETS, "/t"]) fs.mkdirSync(target);
    fs.kernel.layer({ lower: "/t", target: "/x" }).drop(); // types and caches are there from now on
    fs.kernel.dropCaches(3);
    this.#usedBefore = fs.kernel.vmstat().nr_used_pages;
    fs.kernel.mount({ type: "tmpfs", target: "/t", data: "size=80k,nr_inodes=26" });
    fs.mkdirSync("/t/base", 0o755);
    for (const dir of ["a", "a/a", "b"]) this.#prepareDir(dir);
    for (const file of ["c", "a/b", "a/a/a", "b/c"]) this.#prepareFile(file);
    fs.linkSync("/t/base/a/b", "/t/base/b/d");
    (this.#base.children.get("b") as Dir).children.set("d", { obj: (this.#find(this.#base, "a/b") as Slot).obj });
  }

  #prepareDir(path: string): void {
    this.fs.mkdirSync(`/t/base/${path}`, 0o755);
    this.#put(this.#base, path, newDir());
  }

  #prepareFile(path: string): void {
    this.fs.writeFileSync(`/t/base/${path}`, path, { mode: 0o644 });
    this.#put(this.#base, path, { obj: { isLink: false, data: path, mode: 0o644, xattr: "" } });
  }

  // --- Plain trees ----------------------------------------------------------------------------------------------------

  #find(root: Dir, path: string): Slot | Dir | undefined {
    let at: Slot | Dir | undefined = root;
    for (const name of path.split("/").filter(Boolean)) at = isDir(at) ? at.children.get(name) : undefined;
    return at;
  }

  #parent(root: Dir, path: string): Dir | undefined {
    const at = this.#find(root, path.split("/").slice(0, -1).join("/"));
    return isDir(at) ? at : undefined;
  }

  #put(root: Dir, path: string, node: Slot | Dir): void {
    this.#parent(root, path)?.children.set(path.split("/").at(-1) as string, node);
  }

  #delete(root: Dir, path: string): void {
    this.#parent(root, path)?.children.delete(path.split("/").at(-1) as string);
  }

  /** Makes what a name shows the layer's own. */
  #copyUp({ own }: Layered, slot: Slot): FileObject {
    if (!own.has(slot.obj)) slot.obj = { ...slot.obj };
    own.add(slot.obj);
    return slot.obj;
  }

  // --- Steps ----------------------------------------------------------------------------------------------------------

  /** @param failAfter the nth allocation from the beginning of the step, and all behind it, fail; 0 = none does */
  step([kind, ...choices]: CommitStep, failAfter: number): void {
    let at = 0;
    const choose = <T>(list: readonly T[]): T => list[(choices[at++] ?? 0) % list.length];
    if (kind === "layer")
      this.#newLayer(choose(TARGETS), choose(["64k", "200k"]), choose([10, 40]), choose([false, true]));
    else if (kind === "drop caches") this.fs.kernel.dropCaches(2);
    else {
      const layers = [...this.#layers.values()];
      if (layers.length > 0) this.#stepIn(choose(layers), kind, choose, failAfter);
    }
    this.check();
  }

  #stepIn(on: Layered, kind: string, choose: <T>(list: readonly T[]) => T, failAfter: number): void {
    const known = this.#paths(on.view);
    const path = (): string => {
      if (choose([true, true, true, false]) && known.length > 0) return choose(known);
      const dir = choose(["", ...known.filter((each) => isDir(this.#find(on.view, each)))]);
      return `${dir}/${choose(NAMES)}`.replace(/^\//, "");
    };
    switch (kind) {
      case "commit":
        this.#commit(on, failAfter);
        return;
      case "fork":
        this.#fork(on, choose(TARGETS));
        return;
      case "reset":
      case "drop":
        this.#end(on, kind);
        return;
      default:
        this.#call(on, kind, path(), path(), choose, failAfter);
        return;
    }
  }

  /** All that is there. */
  #paths(dir: Dir, before = ""): string[] {
    return [...dir.children].flatMap(([name, node]) => [
      before + name,
      ...(isDir(node) ? this.#paths(node, `${before}${name}/`) : []),
    ]);
  }

  /** Makes a call, with or without memory. @returns what it has answered, or its code */
  #try<T>(kind: string, call: () => T, failAfter = 0): { code: string; value?: T } {
    const { x } = this.fs.kernel.vfs.core;
    let result: { code: string; value?: T };
    x.setFailAfter(failAfter);
    try {
      result = { code: "ok", value: call() };
    } catch (error) {
      result = { code: (error as NodeJS.ErrnoException).code ?? String(error) };
    }
    x.setFailAfter(0);
    const what = `${kind} ${result.code}`;
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
    return result;
  }

  /** A call is possible exactly where the model says so, unless there is no room. @returns has it been done? */
  #agree(on: Layered, kind: string, isPossible: boolean, call: () => unknown, failAfter: number): boolean {
    const { code } = this.#try(kind, call, failAfter);
    if (isPossible && FULL.includes(code)) {
      this.#noteCopies(on);
      return false;
    }
    assert.equal(code === "ok", isPossible, `${kind} on ${on.target}: ${code}`);
    return isPossible;
  }

  #call(
    on: Layered,
    kind: string,
    path: string,
    other: string,
    choose: <T>(list: readonly T[]) => T,
    failAfter: number,
  ): void {
    const { fs } = this;
    const { view } = on;
    const [real, otherReal] = [`${on.target}/${path}`, `${on.target}/${other}`];
    const [node, parent, target] = [this.#find(view, path), this.#parent(view, path), this.#find(view, other)];
    const isFile = node !== undefined && !isDir(node) && !node.obj.isLink;
    const agree = (isPossible: boolean, call: () => unknown): boolean =>
      this.#agree(on, kind, isPossible, call, failAfter);
    switch (kind) {
      case "write": {
        if (!isFile) return;
        const { code, value: fd } = this.#try("open", () => fs.openSync(real, "r+"), failAfter);
        if (code !== "ok") {
          assert(FULL.includes(code), code);
          this.#noteCopies(on);
          return;
        }
        this.#write({ fd: fd as number, slot: node, writes: true }, on, choose);
        fs.closeSync(fd as number);
        return;
      }
      case "create":
        if (agree(parent !== undefined && node === undefined, () => fs.mknodSync(real, 0o100644)))
          this.#put(view, path, this.#newSlot(on, { isLink: false, data: "", mode: 0o644, xattr: "" }));
        return;
      case "symlink":
        if (agree(parent !== undefined && node === undefined, () => fs.symlinkSync(`nowhere/${other}`, real)))
          this.#put(view, path, this.#newSlot(on, { isLink: true, data: `nowhere/${other}`, mode: 0o777, xattr: "" }));
        return;
      case "mkdir":
        if (agree(parent !== undefined && node === undefined, () => fs.mkdirSync(real, 0o755)))
          this.#put(view, path, newDir());
        return;
      case "unlink":
        if (agree(node !== undefined && !isDir(node), () => fs.unlinkSync(real))) this.#delete(view, path);
        return;
      case "rmdir":
        if (agree(isDir(node) && node.children.size === 0, () => fs.rmdirSync(real))) this.#delete(view, path);
        return;
      case "rm":
        if (node !== undefined) this.#removeTree(on, path);
        return;
      case "rename":
        this.#rename(on, path, other, failAfter);
        return;
      case "exchange":
        this.#exchange(on, path, other, failAfter);
        return;
      case "link": {
        const isLinkable = node !== undefined && !isDir(node); // symlinks, too
        const isPossible = isLinkable && this.#parent(view, other) !== undefined && target === undefined;
        if (agree(isPossible, () => fs.linkSync(real, otherReal)))
          this.#put(view, other, { obj: this.#copyUp(on, node as Slot) });
        return;
      }
      case "chmod": {
        if (node === undefined || (!isDir(node) && node.obj.isLink)) return;
        const mode = choose([0o700, 0o711, 0o755, 0o600]);
        if (agree(true, () => fs.chmodSync(real, mode))) (isDir(node) ? node : this.#copyUp(on, node)).mode = mode;
        return;
      }
      case "setxattr": {
        if (!isFile) return;
        const value = "v".repeat(1 + choose([0, 100, 900]));
        if (agree(true, () => fs.kernel.linux.setxattrSync(real, "user.x", Buffer.from(value))))
          this.#copyUp(on, node).xattr = value;
        return;
      }
      case "open":
      case "openWrite":
        this.#open(on, real, isFile ? node : undefined, kind === "openWrite", failAfter);
        return;
      case "writeOpen": {
        const file = on.files.find(({ writes }) => writes);
        if (file) this.#write(file, on, choose);
        return;
      }
      case "close": {
        const file = on.files.pop();
        if (file) fs.closeSync(file.fd);
        return;
      }
      case "stand":
        this.#stand(on, isDir(node) ? real : undefined);
        return;
      case "stat":
        fs.existsSync(real);
        return;
      default:
        throw new Error(kind);
    }
  }

  #newSlot({ own }: Layered, obj: FileObject): Slot {
    own.add(obj);
    return { obj };
  }

  #write({ fd, slot }: Open, on: Layered, choose: <T>(list: readonly T[]) => T): void {
    const obj = this.#copyUp(on, slot);
    const bytes = choose("zyxw".split("")).repeat(choose([1, 30, 4096, 9000]));
    const { code, value: n } = this.#try("write", () => this.fs.writeSync(fd, bytes, 0));
    if (code === "ok") obj.data = bytes.slice(0, n) + obj.data.slice(n);
    else assert(FULL.includes(code), code);
  }

  #removeTree(on: Layered, path: string): boolean {
    const node = this.#find(on.view, path);
    const real = `${on.target}/${path}`;
    if (isDir(node))
      for (const name of [...node.children.keys()]) if (!this.#removeTree(on, `${path}/${name}`)) return false;
    const call = isDir(node) ? () => this.fs.rmdirSync(real) : () => this.fs.unlinkSync(real);
    if (!this.#agree(on, "rm", true, call, 0)) return false;
    this.#delete(on.view, path);
    return true;
  }

  #rename(on: Layered, path: string, other: string, failAfter: number): void {
    const { view } = on;
    const [node, target] = [this.#find(view, path), this.#find(view, other)];
    const fits = target === undefined || (isDir(node) ? isDir(target) && target.children.size === 0 : !isDir(target));
    const intoItself = isDir(node) && `${other}/`.startsWith(`${path}/`) && path !== other;
    const isPossible =
      node !== undefined && this.#parent(view, other) !== undefined && !intoItself && (fits || path === other);
    const call = (): void => this.fs.renameSync(`${on.target}/${path}`, `${on.target}/${other}`);
    if (!this.#agree(on, "rename", isPossible, call, failAfter) || path === other) return;
    const [from, to] = [node as Slot | Dir, target];
    if (!isDir(from) && to !== undefined && !isDir(to) && from.obj === to.obj && on.own.has(from.obj)) return; // one file
    if (!isDir(from)) this.#copyUp(on, from);
    this.#delete(view, path);
    this.#put(view, other, from);
  }

  #exchange(on: Layered, path: string, other: string, failAfter: number): void {
    const { view } = on;
    const [a, b] = [this.#find(view, path), this.#find(view, other)];
    const isNested = `${path}/`.startsWith(`${other}/`) || `${other}/`.startsWith(`${path}/`);
    if (a === undefined || b === undefined || isNested) return;
    const call = (): void => this.fs.renameat2Sync(`${on.target}/${path}`, `${on.target}/${other}`, 2);
    if (!this.#agree(on, "exchange", true, call, failAfter)) return;
    for (const node of [a, b]) if (!isDir(node)) this.#copyUp(on, node);
    this.#put(view, path, b);
    this.#put(view, other, a);
  }

  #open(on: Layered, real: string, slot: Slot | undefined, writes: boolean, failAfter: number): void {
    if (slot === undefined || on.files.length >= 3) return;
    const { code, value: fd } = this.#try("open", () => this.fs.openSync(real, writes ? "r+" : "r"), failAfter);
    if (code !== "ok") {
      assert(FULL.includes(code), code);
      this.#noteCopies(on);
      return;
    }
    if (writes) this.#copyUp(on, slot);
    on.files.push({ fd: fd as number, slot, writes });
  }

  /** A task has its working directory in one layer at a time. */
  #stand(on: Layered, real: string | undefined): void {
    this.#task ??= this.fs.kernel.task();
    for (const each of this.#layers.values()) each.isHeld = false;
    this.#task.task.chdir(real ?? "/");
    on.isHeld = real !== undefined;
  }

  #task: ReturnType<FolioFs["kernel"]["task"]> | undefined;

  // --- Layers ---------------------------------------------------------------------------------------------------------

  #newLayer(target: string, size: string, inodes: number, metacopy: boolean): void {
    if (this.#layers.has(target)) return;
    const options = { lower: "/t/base", target, size, nr_inodes: inodes, metacopy };
    const { code, value } = this.#try("layer", () => this.fs.kernel.layer(options));
    assert.equal(code, "ok");
    this.#layers.set(target, {
      ...{ target, layer: value as Layer, own: new Set<FileObject>(), files: [], isHeld: false },
      view: this.#viewOf(this.#base),
    });
  }

  #viewOf(dir: Dir): Dir {
    const entries = [...dir.children].map(([name, node]): [string, Slot | Dir] => [
      name,
      isDir(node) ? this.#viewOf(node) : { obj: node.obj },
    ]);
    return { id: dir.id, mode: dir.mode, children: new Map(entries) };
  }

  #end(on: Layered, how: "reset" | "drop"): void {
    const isBusy = on.files.length > 0 || on.isHeld;
    const { code } = this.#try(how, () => on.layer[how]());
    assert.equal(code, isBusy ? "EBUSY" : "ok", how);
    if (isBusy) return;
    this.#layers.delete(on.target);
    if (how === "drop") return;
    this.#layers.set(on.target, { ...on, view: this.#viewOf(this.#base), own: new Set() });
  }

  #fork(on: Layered, target: string): void {
    if (this.#layers.has(target)) return;
    const { code, value } = this.#try("fork", () => on.layer.fork(target));
    if (code !== "ok") {
      assert(FULL.includes(code), code);
      return;
    }
    const copies = new Map([...on.own].map((obj) => [obj, { ...obj }]));
    const own = new Set(copies.values());
    this.#layers.set(target, {
      target,
      layer: value as Layer,
      view: this.#copyOf(on.view, copies),
      own,
      files: [],
      isHeld: false,
    });
  }

  #commit(on: Layered, failAfter: number): void {
    const before = this.#look(on.target);
    const base = this.#look("/t/base");
    const parts = new Map([...this.#layers.values()].map((each) => [each, this.#upperOf(each)]));
    const { code } = this.#try("commit", () => on.layer.commit(), failAfter);
    assert.deepEqual(this.#look(on.target), before, "the layer shows the same");
    if (code !== "ok") {
      assert(FULL.includes(code), code);
      assert.deepEqual(this.#look("/t/base"), base);
      return;
    }
    assert.deepEqual(this.#look("/t/base"), before, "what is below shows what the layer has shown");
    const oldMode = this.#base.mode;
    this.#base = this.#committed(on);
    for (const [each, upper] of parts) {
      if (each === on) continue;
      const mode = each.view.mode === oldMode ? this.#base.mode : each.view.mode;
      each.view = { ...this.#merged(each, upper, this.#base, each.view), mode };
      this.#closeUnclear(each);
    }
    if (on.files.length > 0 || on.isHeld) return; // what is removed and in use is the layer's as long as that
    const { bytes, inodes } = on.layer.usage();
    assert(bytes === 0 && inodes === 0, `${bytes} bytes, ${inodes} inodes are left`);
  }

  /** Closes files whose name shows another now, while they are there elsewhere: by which of their names they are known is left open. */
  #closeUnclear({ view, files }: Layered): void {
    const slots = new Set<Slot>();
    const visit = (dir: Dir): void => {
      for (const node of dir.children.values()) {
        if (isDir(node)) visit(node);
        else slots.add(node);
      }
    };
    visit(view);
    const objects = new Set([...slots].map(({ obj }) => obj));
    for (const file of files.splice(0)) {
      if (slots.has(file.slot) || !objects.has(file.slot.obj)) files.push(file);
      else this.fs.closeSync(file.fd);
    }
  }

  /** Files that stay the layer's own: open for writing, or of several names and open. */
  #keptOf({ view, own, files }: Layered): Set<FileObject> {
    const names = new Map<FileObject, number>();
    const count = (dir: Dir): void => {
      for (const node of dir.children.values()) {
        if (isDir(node)) count(node);
        else names.set(node.obj, (names.get(node.obj) ?? 0) + 1);
      }
    };
    count(view);
    const kept = files.filter(({ slot, writes }) => writes || (names.get(slot.obj) ?? 0) > 1);
    return new Set(kept.map(({ slot }) => slot.obj).filter((obj) => own.has(obj)));
  }

  #committed(on: Layered): Dir {
    const kept = this.#keptOf(on);
    on.own = kept;
    return this.#copyOf(on.view, new Map([...kept].map((obj) => [obj, { ...obj }])));
  }

  /** A tree with other files in the place of some. */
  #copyOf(dir: Dir, copies: ReadonlyMap<FileObject, FileObject>): Dir {
    const entries = [...dir.children].map(([name, node]): [string, Slot | Dir] => [
      name,
      isDir(node) ? this.#copyOf(node, copies) : { obj: copies.get(node.obj) ?? node.obj },
    ]);
    return { id: dir.id, mode: dir.mode, children: new Map(entries) };
  }

  /** What a layer shows over a new base: its own by what its upper layer has, all else as it is now. */
  #merged(on: Layered, upper: UpperDir, base: Dir | undefined, view: Dir | undefined): Dir {
    const merged: Dir = { id: base?.id ?? view?.id ?? {}, mode: view?.mode ?? 0, children: new Map() };
    for (const [name, node] of base?.children ?? [])
      if (!upper.children.has(name)) merged.children.set(name, this.#followed(on, node, view?.children.get(name)));
    for (const [name, entry] of upper.children) {
      const before = view?.children.get(name);
      if (entry === "whiteout") continue;
      if (entry === "file") {
        this.#copyUp(on, before as Slot);
        merged.children.set(name, before as Slot);
      } else {
        const part = this.#partOf(entry, base?.children.get(name), base);
        merged.children.set(name, this.#merged(on, entry, part, before as Dir));
      }
    }
    return merged;
  }

  /** What is not the layer's: the name that there was, where it shows the same. */
  #followed(on: Layered, node: Slot | Dir, before: Slot | Dir | undefined): Slot | Dir {
    if (!isDir(node)) {
      const isSame = before !== undefined && !isDir(before) && before.obj === node.obj;
      return isSame ? before : { obj: node.obj };
    }
    const isSame = isDir(before) && before.id === node.id;
    return isSame ? { ...this.#merged(on, NOTHING, node, before), mode: node.mode } : this.#viewOf(node);
  }

  /** The directory below that one of an upper layer is merged with. */
  #partOf(
    { redirect, isOpaque: hides }: UpperDir,
    byName: Slot | Dir | undefined,
    base: Dir | undefined,
  ): Dir | undefined {
    let part = byName;
    if (hides) return undefined;
    if (redirect !== undefined)
      part = redirect.startsWith("/") ? this.#find(this.#base, redirect) : base?.children.get(redirect);
    return isDir(part) ? part : undefined;
  }

  // --- The real thing -------------------------------------------------------------------------------------------------

  /** What the upper layer has. */
  #upperOf({ target }: Layered): UpperDir {
    const kernel = this.fs.kernel.vfs;
    const { dev } = this.fs.statSync(target);
    const sb = [...kernel.superBlocks()].find((each) => each.dev === dev && each.type === overlay);
    assert(sb);
    const text = (name: Uint8Array): string => Buffer.from(name).toString();
    const read = (dir: DentryHandle): UpperDir => {
      const inode = inodeOf(kernel.core, dir);
      const redirect = redirectOf(kernel, inode);
      assert(typeof redirect !== "number");
      const children = [...childrenOf(kernel.core, dir)].map((child): [string, UpperEntry] => {
        const of = inodeOf(kernel.core, child);
        const isHidden = isWhiteout(kernel.core, of);
        return [
          text(nameOf(kernel, child)),
          isHidden ? "whiteout" : isDirectory(kernel.core, of) ? read(child) : "file",
        ];
      });
      return { children: new Map(children), isOpaque: isOpaque(kernel, inode), redirect: redirect && text(redirect) };
    };
    return read((overlayOf(sb).layers[0] as OverlayLayer).root);
  }

  /** A call that has failed may have copied something up. */
  #noteCopies(on: Layered): void {
    const note = (upper: UpperDir, view: Dir): void => {
      for (const [name, entry] of upper.children) {
        const node = view.children.get(name);
        if (entry === "file") this.#copyUp(on, node as Slot);
        else if (entry !== "whiteout") note(entry, node as Dir);
      }
    };
    note(this.#upperOf(on), on.view);
  }

  /** All that a real tree shows, times with it. */
  #look(path: string): unknown {
    const { fs } = this;
    const { mode, uid, gid, mtimeMs } = fs.lstatSync(path);
    const type = mode & 0o170000;
    const own = [mode.toString(8), uid, gid, mtimeMs];
    if (type === 0o040000) return [...own, fs.readdirSync(path).map((name) => [name, this.#look(`${path}/${name}`)])];
    return [...own, type === 0o120000 ? fs.readlinkSync(path) : fs.readFileSync(path, "latin1"), this.#xattr(path)];
  }

  #xattr(path: string): string {
    const { linux } = this.fs.kernel;
    return linux.llistxattrSync(path).map(String).includes("user.x") ? String(linux.lgetxattrSync(path, "user.x")) : "";
  }

  /** As the model has it. @param files which name is the first of a file, where that is asked */
  #shown(path: string, files?: Map<number, string>, top = path): unknown {
    const { fs } = this;
    const { mode, ino } = fs.lstatSync(path);
    if ((mode & 0o170000) === 0o040000)
      return [mode & 0o7777, fs.readdirSync(path).map((name) => [name, this.#shown(`${path}/${name}`, files, top)])];
    const first = files?.get(ino) ?? path.slice(top.length);
    files?.set(ino, first);
    const data = (mode & 0o170000) === 0o120000 ? fs.readlinkSync(path) : fs.readFileSync(path, "latin1");
    return [mode & 0o7777, data, this.#xattr(path), files && first];
  }

  #expected(node: Slot | Dir, files?: Map<FileObject, string>, path = ""): unknown {
    if (isDir(node)) {
      const names = [...node.children.keys()].sort();
      return [
        node.mode,
        names.map((name) => [name, this.#expected(node.children.get(name) as Dir, files, `${path}/${name}`)]),
      ];
    }
    const { obj } = node;
    const first = files?.get(obj) ?? path;
    files?.set(obj, first);
    return [obj.mode, obj.data, obj.xattr, files && first];
  }

  /** Is all as the model has it? */
  check(): void {
    this.fs.kernel.verify();
    assert.deepEqual(this.#shown("/t/base", new Map()), this.#expected(this.#base, new Map()), "the base");
    for (const { target, view, files } of this.#layers.values()) {
      assert.deepEqual(this.#shown(target), this.#expected(view), target);
      for (const { fd, slot } of files) {
        const buffer = Buffer.alloc(slot.obj.data.length + 1);
        const n = this.fs.readSync(fd, buffer, 0, buffer.length, 0);
        assert.equal(buffer.toString("latin1", 0, n), slot.obj.data, `an open file of ${target}`);
      }
    }
    const { code } = this.#try("look around", () => this.#task?.readdirSync("."));
    assert(["ok", "ENOENT", "ESTALE", "ENOTDIR"].includes(code), code);
  }

  /** Ends all. @returns pages that are not given back */
  end(): number {
    const { fs } = this;
    this.#task?.task.chdir("/");
    for (const { files, layer } of this.#layers.values()) {
      for (const { fd } of files) fs.closeSync(fd);
      layer.drop();
    }
    fs.kernel.umount("/t");
    fs.kernel.dropCaches(3);
    fs.kernel.verify();
    const left = fs.kernel.vmstat().nr_used_pages - this.#usedBefore;
    fs.kernel.destroy();
    return left;
  }
}

/** A directory that the upper layer does not have. */
const NOTHING = { children: new Map(), isOpaque: false, redirect: undefined } satisfies UpperDir;

/** A directory of an upper layer. */
interface UpperDir {
  readonly children: ReadonlyMap<string, UpperEntry>;
  readonly isOpaque: boolean;
  readonly redirect: string | undefined;
}
type UpperEntry = "whiteout" | "file" | UpperDir;

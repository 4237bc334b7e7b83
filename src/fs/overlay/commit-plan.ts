/**
 * What a commit is going to do, all of it that can fail: whatever the layer has made or changed is copied, whole, into a directory of
 * the lower layer that nobody sees, and for all that moves or goes it is noted from where to where.
 *
 *   upper layer                    lower layer
 *   a whiteout                     its name goes; where a layer further below has it, a whiteout comes
 *   a file                         a copy takes the place of what has the name
 *   a directory of its own         a copy takes the place; opaque, where there are layers further below
 *   one that is merged             the lower one stays, and gets its attributes; with a redirect it moves
 *
 * Does not own: doing it (commit.ts), room (commit-room.ts).
 */
import { EBUSY, EPERM, ESTALE } from "../../base/errno.ts";
import type { DentryHandle, InodeHandle } from "../../base/handles.ts";
import { S_IFCHR, S_IFDIR, S_IFREG } from "../../base/stat-flags.ts";
import { utf8Encoder } from "../../base/utf8.ts";
import type { Kernel } from "../../vfs/kernel.ts";
import type { SuperBlock } from "../../vfs/super-block.ts";
import { DCACHE_MOUNTED, DENTRY_FLAGS } from "../../wasm/layout.ts";
import { NodeCopier } from "./copy-node.ts";
import { setOpaque } from "./dir.ts";
import { type Lower, putAll } from "./entry.ts";
import {
  childrenOf,
  inodeOf,
  isDirectory,
  isWhiteout,
  lookupOne,
  makeName,
  nameOf,
  newName,
  now,
  parentOf,
  removeName,
} from "./layer-names.ts";
import { copyXattrs, hasLayerXattr, listLayerXattrs, setLayerXattr } from "./layer-xattr.ts";
import type { Layer, OverlayFs } from "./layers.ts";
import { isPositiveIn, lookupParts } from "./lookup.ts";
import { isPrivateXattr } from "./own-xattr.ts";
import { REDIRECT } from "./redirect.ts";
import { withData } from "./shown-file.ts";

const NO_DENTRY = 0 as DentryHandle;
/** Number of the layer that is written to. */
const BASE = 1;
const SLASH = 0x2f;

/** A name that moves. */
export interface Move {
  readonly dentry: DentryHandle;
  /** A name that is free by then, with a reference, or a file that is replaced. */
  readonly target: DentryHandle;
}

/** Whose attributes are to be those of whom. */
export interface Attributes {
  readonly source: InodeHandle;
  readonly sink: InodeHandle;
}

/** Extended attributes of a directory that are to be those of a file made for it. */
export interface Exchange {
  readonly inode: InodeHandle;
  readonly carrier: InodeHandle;
}

/** What a directory of the upper layer is in the lower one. */
interface Target {
  /** The directory that has been there, 0 = none. */
  readonly base: DentryHandle;
  /** The one that it will be: that, or a new one. */
  readonly dest: DentryHandle;
  /** Parts of it in lower layers. */
  readonly lowers: readonly Lower[];
}

/** What is about to become of a name. */
interface Change {
  /** In the upper layer. */
  readonly child: DentryHandle;
  readonly name: Uint8Array;
  readonly dir: Target;
  /** What the lower layer has under it, 0 = nothing. */
  readonly old: DentryHandle;
}

/** Steps of a commit, in their order: moves away, removals, moves to, extended attributes, attributes. */
export class CommitPlan {
  readonly away: Move[] = [];
  /** Trees that go. */
  victims: DentryHandle[] = [];
  readonly placed: Move[] = [];
  readonly exchanges: Exchange[] = [];
  readonly attributes: Attributes[] = [];
  /** By inode of the upper layer: what it is in the lower one. */
  readonly become = new Map<InodeHandle, InodeHandle>();
  /** The directory that nobody sees, 0 = it has not been made. */
  staging: DentryHandle = NO_DENTRY;

  readonly #sb: SuperBlock;
  readonly #kernel: Kernel;
  readonly #fs: OverlayFs;
  readonly #copier: NodeCopier;
  readonly #upper: Layer;
  readonly #base: Layer;
  readonly #merged = new Set<DentryHandle>();
  /** New directories, which lie in the staging directory themselves. */
  readonly #fresh = new Set<DentryHandle>();
  #nrStaged = 0;

  /** @param sb the overlay */
  constructor(sb: SuperBlock, fs: OverlayFs) {
    const { kernel } = sb;
    this.#sb = sb;
    this.#kernel = kernel;
    this.#fs = fs;
    this.#upper = fs.layers[0] as Layer;
    this.#base = fs.layers[BASE] as Layer;
    const mounts = { from: this.#upper.mnt, to: this.#base.mnt };
    this.#copier = new NodeCopier(kernel, mounts, "all", isPrivateXattr);
  }

  /**
   * Makes the plan, and all that it needs.
   *
   * @returns 0; -EBUSY for a place with something mounted that would go or move; -ESTALE for two directories that stand for one
   *   below; what layers further below answer; -ENOSPC. Then drop() it
   */
  make(): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const { root } = this.#base;
    const staging = this.#makeStaging();
    if (staging < 0) return staging;
    const lowers = this.#fs.layers.flatMap((layer, i) => (layer && i > 0 ? [{ dentry: layer.root, layer: i }] : []));
    const rc = this.#planNames(this.#upper.root, { base: root, dest: root, lowers }) || this.#planRoot();
    if (rc < 0) return rc;
    this.#note(inodeOf(core, this.#upper.root), inodeOf(core, root));
    this.victims = this.victims.filter((victim) => !this.#merged.has(victim)); // those move
    return this.victims.some((victim) => this.#hasMount(victim)) ? -EBUSY : 0;
  }

  /** Lets go of what has not been placed. */
  drop(): void {
    const kernel = this.#kernel;
    const { core } = kernel;
    for (const { target } of [...this.away, ...this.placed]) core.x.dput(target);
    if (this.staging !== NO_DENTRY) dropTree(kernel, this.staging);
    this.staging = NO_DENTRY;
  }

  #makeStaging(): number {
    const kernel = this.#kernel;
    const { root } = this.#base;
    for (let i = 0; ; i++) {
      const name = utf8Encoder.encode(`.foliofs-commit-${i}`);
      if (this.#isTaken(root, name) || this.#isTaken(this.#upper.root, name)) continue;
      const made = makeName(kernel, root, name, ({ mkdir }, dir, dentry) =>
        now(mkdir?.(kernel, dir, dentry, S_IFDIR | 0o700) ?? -EPERM),
      );
      if (made < 0) return made;
      kernel.core.x.dput(made); // its name holds it
      this.staging = made;
      return 0;
    }
  }

  #isTaken(dir: DentryHandle, name: Uint8Array): boolean {
    const taken = lookupOne(this.#kernel, dir, name);
    if (taken > 0) this.#kernel.core.x.dput(taken);
    return taken > 0;
  }

  #stagedName(): Uint8Array {
    return utf8Encoder.encode(`#${this.#nrStaged++}`);
  }

  /** Inodes of the staging directory that go with it. */
  get nrOwnInodes(): number {
    return 1 + this.exchanges.length;
  }

  #note(source: InodeHandle, sink: InodeHandle): void {
    this.attributes.push({ source, sink });
    this.become.set(source, sink);
  }

  // --- Names ----------------------------------------------------------------------------------------------------------

  /** The oldest name first, so that new ones are listed in the same order. */
  #planNames(upper: DentryHandle, dir: Target): number {
    for (const child of [...childrenOf(this.#kernel.core, upper)].reverse()) {
      const rc = this.#planName(upper, child, dir);
      if (rc < 0) return rc;
    }
    return 0;
  }

  #planName(upper: DentryHandle, child: DentryHandle, dir: Target): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const name = nameOf(kernel, child);
    const old = dir.base === NO_DENTRY ? NO_DENTRY : lookupOne(kernel, dir.base, name);
    if (old < 0) return old;
    if (old !== NO_DENTRY) core.x.dput(old); // the lower layer holds it
    const change = { child, name, dir, old };
    const inode = inodeOf(core, child);
    if (isWhiteout(core, inode)) return this.#planWhiteout(change);
    return isDirectory(core, inode) ? this.#planDirectory(upper, change) : this.#planFile(change);
  }

  #planWhiteout({ name, dir, old }: Change): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const isBelow = isPositiveIn(kernel, deeper(dir.lowers), name);
    if (isBelow < 0) return isBelow;
    if (old !== NO_DENTRY && isWhiteout(core, inodeOf(core, old))) return 0;
    if (!isBelow) {
      if (old !== NO_DENTRY) this.victims.push(old);
      return 0;
    }
    const made = makeName(kernel, this.#dirFor(dir), this.#nameFor(dir, name), ({ mknod }, parent, dentry) =>
      now(mknod?.(kernel, parent, dentry, S_IFCHR, 0) ?? -EPERM),
    );
    if (made < 0) return made;
    core.x.dput(made);
    return this.#place(made, dir, name, old);
  }

  #planFile({ child, name, dir, old }: Change): number {
    const { core } = this.#kernel;
    const file = { mnt: this.#upper.mnt, dentry: child };
    const made = withData(this.#sb, file, (data) =>
      this.#copier.copy(child, this.#dirFor(dir), this.#nameFor(dir, name), data),
    ) as DentryHandle;
    if (made < 0) return made;
    core.x.dput(made);
    this.#note(inodeOf(core, child), inodeOf(core, made));
    return this.#place(made, dir, name, old);
  }

  #planDirectory(upper: DentryHandle, change: Change): number {
    const kernel = this.#kernel;
    const found = lookupParts(kernel, this.#fs, upper, change.dir.lowers, change.name);
    if (typeof found === "number") return found;
    const { lowers } = found;
    const base = lowers[0]?.layer === BASE ? lowers[0].dentry : NO_DENTRY;
    const dest = base === NO_DENTRY ? this.#newDirectory(change, lowers) : this.#mergedDirectory(change, base, lowers);
    const rc = dest < 0 ? dest : this.#planNames(change.child, { base, dest, lowers });
    if (rc >= 0) this.#note(inodeOf(kernel.core, change.child), inodeOf(kernel.core, dest));
    putAll(kernel.core, found.upper, lowers);
    return Math.min(rc, 0);
  }

  /** One that the lower layer has no part of. */
  #newDirectory({ child, name, dir, old }: Change, lowers: readonly Lower[]): DentryHandle {
    const kernel = this.#kernel;
    const { core } = kernel;
    const made = this.#copier.copy(child, this.#dirFor(dir), this.#nameFor(dir, name));
    if (made < 0) return made;
    core.x.dput(made);
    this.#fresh.add(made);
    const isMoved = hasLayerXattr(kernel, inodeOf(core, child), REDIRECT);
    const marked = lowers.length > 0 && !isMoved ? 0 : this.#mark(inodeOf(core, made), lowers);
    const rc = marked || this.#place(made, dir, name, old);
    return rc < 0 ? (rc as DentryHandle) : made;
  }

  /** One that the lower layer has a part of, there or elsewhere. */
  #mergedDirectory({ child, name, dir, old }: Change, base: DentryHandle, lowers: readonly Lower[]): DentryHandle {
    if (this.#merged.has(base)) return -ESTALE as DentryHandle;
    this.#merged.add(base);
    const isMoved = old !== base;
    const rc = (isMoved ? this.#move(base, dir, name, old) : 0) || this.#planXattrs(child, base, lowers, isMoved);
    return rc < 0 ? (rc as DentryHandle) : base;
  }

  #move(base: DentryHandle, dir: Target, name: Uint8Array, old: DentryHandle): number {
    const kernel = this.#kernel;
    if (isMounted(kernel, base)) return -EBUSY;
    const target = newName(kernel, this.staging, this.#stagedName());
    if (target < 0) return target;
    this.away.push({ dentry: base, target });
    return this.#placeAt(base, dir, name, old);
  }

  // --- Places ---------------------------------------------------------------------------------------------------------

  #isFresh(dir: Target): boolean {
    return this.#fresh.has(dir.dest);
  }

  /** Where what is new in a directory is made: there, if it is new itself. */
  #dirFor(dir: Target): DentryHandle {
    return this.#isFresh(dir) ? dir.dest : this.staging;
  }

  #nameFor(dir: Target, name: Uint8Array): Uint8Array {
    return this.#isFresh(dir) ? name : this.#stagedName();
  }

  #place(dentry: DentryHandle, dir: Target, name: Uint8Array, old: DentryHandle): number {
    return this.#isFresh(dir) ? 0 : this.#placeAt(dentry, dir, name, old);
  }

  /** A file takes the place of another at once. */
  #placeAt(dentry: DentryHandle, dir: Target, name: Uint8Array, old: DentryHandle): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const replaces =
      old !== NO_DENTRY && !isDirectory(core, inodeOf(core, old)) && !isDirectory(core, inodeOf(core, dentry));
    if (replaces) core.x.dget(old);
    else if (old !== NO_DENTRY) this.victims.push(old);
    if (replaces && isMounted(kernel, old)) return this.#refuse(old);
    const target = replaces ? old : newName(kernel, dir.dest, name);
    if (target < 0) return target;
    this.placed.push({ dentry, target });
    return 0;
  }

  #refuse(held: DentryHandle): number {
    this.#kernel.core.x.dput(held);
    return -EBUSY;
  }

  // --- Extended attributes --------------------------------------------------------------------------------------------

  /** Says of a directory where its parts in the other layers are, or that there are none. @returns 0; -ENOSPC */
  #mark(inode: InodeHandle, lowers: readonly Lower[]): number {
    const kernel = this.#kernel;
    const [part] = deeper(lowers);
    if (part !== undefined) return setLayerXattr(kernel, inode, REDIRECT, this.#pathOf(part));
    return this.#fs.layers.length > BASE + 1 ? setOpaque(kernel, inode) : 0;
  }

  /** Path of a lower directory from the root of its layer on. */
  #pathOf({ dentry, layer }: Lower): Uint8Array {
    const kernel = this.#kernel;
    const root = this.#fs.layers[layer]?.root;
    const path: number[] = [];
    for (let at = dentry; at !== root; at = parentOf(kernel.core, at)) path.unshift(SLASH, ...nameOf(kernel, at));
    return Uint8Array.from(path);
  }

  /** What a directory that stays is to have, it gets from a file made for it. Its own marks stay where it stays. */
  #planXattrs(child: DentryHandle, base: DentryHandle, lowers: readonly Lower[], isMoved: boolean): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const [source, inode] = [inodeOf(core, child), inodeOf(core, base)];
    const isMarked = isMoved && this.#fs.layers.length > BASE + 1;
    if (!isMarked && !this.#hasXattrs(source) && !this.#hasXattrs(inode)) return 0;
    const carrier = this.#makeCarrier(inode);
    if (carrier < 0) return carrier;
    const rc =
      copyXattrs(kernel, source, carrier, isPrivateXattr) ||
      copyXattrs(kernel, inode, carrier, (name) => !isPrivateXattr(name));
    return rc || (isMarked ? this.#mark(carrier, lowers) : 0);
  }

  /** The root of the upper layer does not have what the lower one has: that stays. */
  #planRoot(): number {
    const kernel = this.#kernel;
    const { core } = kernel;
    const [source, inode] = [inodeOf(core, this.#upper.root), inodeOf(core, this.#base.root)];
    if (!this.#hasXattrs(source)) return 0;
    const carrier = this.#makeCarrier(inode);
    if (carrier < 0) return carrier;
    return copyXattrs(kernel, inode, carrier, () => false) || copyXattrs(kernel, source, carrier, isPrivateXattr);
  }

  #hasXattrs(inode: InodeHandle): boolean {
    const names = listLayerXattrs(this.#kernel, inode);
    return typeof names !== "number" && names.some((name) => !isPrivateXattr(name));
  }

  #makeCarrier(inode: InodeHandle): InodeHandle {
    const kernel = this.#kernel;
    const { core } = kernel;
    const made = makeName(kernel, this.staging, this.#stagedName(), ({ create }, dir, dentry) =>
      now(create?.(kernel, dir, dentry, S_IFREG) ?? -EPERM),
    );
    if (made < 0) return made as number as InodeHandle;
    core.x.dput(made);
    const carrier = inodeOf(core, made);
    this.exchanges.push({ inode, carrier });
    return carrier;
  }

  // --- Mounts ---------------------------------------------------------------------------------------------------------

  #hasMount(top: DentryHandle): boolean {
    for (const dentry of this.goneOf(top)) if (isMounted(this.#kernel, dentry)) return true;
    return false;
  }

  /** All names of a tree that goes. What moves out of it does not count. */
  *goneOf(top: DentryHandle): Generator<DentryHandle> {
    if (this.#merged.has(top)) return;
    yield top;
    for (const child of childrenOf(this.#kernel.core, top)) yield* this.goneOf(child);
  }
}

function isMounted({ core: { u32 } }: Kernel, dentry: DentryHandle): boolean {
  return ((u32[(dentry << 3) + (DENTRY_FLAGS >> 1)] >>> ((DENTRY_FLAGS & 1) * 16)) & DCACHE_MOUNTED) !== 0;
}

/** Parts in layers below the one that is written to. */
function deeper(lowers: readonly Lower[]): readonly Lower[] {
  return lowers.filter(({ layer }) => layer > BASE);
}

/** Removes a tree in memory, its top too. */
export function dropTree(kernel: Kernel, top: DentryHandle): void {
  for (const child of childrenOf(kernel.core, top)) dropTree(kernel, child);
  removeName(kernel, top);
}

/**
 * A file system whose truth lies outside of the kernel's memory: a tree of plain objects that tests change at will, with
 * every operation logged and every one of them interruptible.
 *
 * It is what a network file system looks like to the VFS: names are looked up and may stop being true (revalidate),
 * permissions, attributes and link targets are its own, and a store that is not ready answers -EAGAIN with a token.
 */
import {
  ATTR_MODE,
  ATTR_SIZE,
  type Attributes,
  Dentry,
  type DentryHandle,
  EAGAIN,
  ENOENT,
  ENOTEMPTY,
  type FileSystemType,
  Inode,
  type InodeHandle,
  type InodeOperations,
  type Kernel,
  libfs,
  stat,
} from "../../src/index.ts";
import { PATH_A } from "../../src/wasm/core.ts";

export interface RemoteNode {
  mode: number;
  data?: Buffer;
  target?: string;
  children?: Map<string, RemoteNode>;
}

export function remoteFile(data = "", mode = 0o644): RemoteNode {
  return { mode: stat.S_IFREG | mode, data: Buffer.from(data) };
}
export function remoteDir(children: Record<string, RemoteNode> = {}, mode = 0o755): RemoteNode {
  return { mode: stat.S_IFDIR | mode, children: new Map(Object.entries(children)) };
}
export function remoteLink(target: string): RemoteNode {
  return { mode: stat.S_IFLNK | 0o777, target };
}

/** What tests may put in the way of an operation. A number >= 0 or undefined lets it go on. */
export interface Hooks {
  lookup?(kernel: Kernel, name: string): number | undefined;
  permission?(kernel: Kernel, node: RemoteNode, mask: number): number;
  getLink?(kernel: Kernel, node: RemoteNode): number | undefined;
  revalidate?(kernel: Kernel, name: string): number;
  read?(kernel: Kernel): number | undefined;
  evict?(kernel: Kernel, node: RemoteNode): void;
  /** Asked before every operation but evict. @param what operation, and name or number of what it is done to */
  any?(kernel: Kernel, what: string): number;
  /** It does not know its inodes again: for a type without evictInode, whose inodes go unheard. */
  isForgetful?: true;
  /** The type of an entry that listings give; else its own. */
  listedType?: number;
}

export class RemoteFs {
  readonly root: RemoteNode;
  readonly hooks: Hooks;
  /** Operations so far: "lookup name", "getLink", "evict" ... */
  readonly log: string[] = [];
  readonly type: FileSystemType;
  /** The inodes that memory has of the tree, both ways. */
  readonly nodes = new Map<InodeHandle, RemoteNode>();
  readonly #inodes = new Map<RemoteNode, InodeHandle>();

  /** @param name of the type */
  constructor(root: RemoteNode, hooks: Hooks = {}, name = "remotefs") {
    this.root = root;
    this.hooks = hooks;
    this.type = this.#type(name);
  }

  /** The log since the last call, joined. */
  takeLog(): string {
    return this.log.splice(0).join(", ");
  }

  #node(inode: InodeHandle): RemoteNode {
    const node = this.nodes.get(inode);
    if (!node) throw new Error(`remotefs: inode ${inode} is not known, or has been evicted`);
    return node;
  }

  #childrenOf(dir: InodeHandle): Map<string, RemoteNode> {
    return this.#node(dir).children as Map<string, RemoteNode>;
  }

  #instantiate(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, node: RemoteNode): number {
    const { x } = kernel.core;
    const known = this.#inodes.get(node);
    if (known !== undefined && !node.children && !this.hooks.isForgetful) {
      x.iget(known);
      x.dInstantiate(dentry, known);
      return 0;
    }
    const inode = x.inodeNew(kernel.sbOf(dir).handle, node.mode, 0, 0, kernel.now()) as InodeHandle;
    if (inode < 0) return inode;
    this.#remember(kernel, inode, node);
    x.dInstantiate(dentry, inode);
    return 0;
  }

  #remember(kernel: Kernel, handle: InodeHandle, node: RemoteNode): void {
    const inode = new Inode(kernel, handle);
    inode.size = node.data?.length ?? node.target?.length ?? 0;
    if (node.children) inode.nlink = 2;
    this.nodes.set(handle, node);
    this.#inodes.set(node, handle);
  }

  #make(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, node: RemoteNode): number {
    const rc = this.#instantiate(kernel, dir, dentry, node);
    if (rc < 0) return rc;
    this.#childrenOf(dir).set(nameOf(kernel, dentry), node);
    kernel.core.x.dAdd(dentry);
    return 0;
  }

  #remove(kernel: Kernel, dir: InodeHandle, dentry: DentryHandle): number {
    this.#childrenOf(dir).delete(nameOf(kernel, dentry));
    new Inode(kernel, new Dentry(kernel, dentry).inode).nlink = 0;
    return 0;
  }

  /** The change at the store. */
  #setattr(node: RemoteNode, attr: Attributes): void {
    if (attr.valid & ATTR_MODE) node.mode = (node.mode & stat.S_IFMT) | (attr.mode & 0o7777);
    if (!(attr.valid & ATTR_SIZE)) return;
    const data = Buffer.alloc(attr.size);
    node.data?.copy(data);
    node.data = data;
  }

  /** What the hook for all operations says. @param on name or number of what it is done to */
  #any(kernel: Kernel, operation: string, on: string | number): number {
    return this.hooks.any?.(kernel, `${operation} ${on}`) ?? 0;
  }

  #operations(): InodeOperations {
    const { hooks, log } = this;
    /** An operation on a name, after the hook. */
    const onName =
      <A extends unknown[]>(
        what: string,
        operation: (kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, ...rest: A) => number,
      ) =>
      (kernel: Kernel, dir: InodeHandle, dentry: DentryHandle, ...rest: A): number => {
        const refused = this.#any(kernel, what, nameOf(kernel, dentry));
        return refused < 0 ? refused : operation(kernel, dir, dentry, ...rest);
      };
    return {
      lookup: (kernel, dir, dentry) => {
        const name = nameOf(kernel, dentry);
        log.push(`lookup ${name}`);
        const refused = (hooks.lookup?.(kernel, name) ?? 0) || this.#any(kernel, "lookup", name);
        if (refused < 0) return refused;
        const node = this.#childrenOf(dir).get(name);
        return node ? this.#instantiate(kernel, dir, dentry, node) : 0;
      },
      create: onName("create", (kernel, dir, dentry, mode: number) =>
        this.#make(kernel, dir, dentry, { mode, data: Buffer.alloc(0) }),
      ),
      mkdir: onName("mkdir", (kernel, dir, dentry, mode: number) =>
        this.#make(kernel, dir, dentry, { mode, children: new Map() }),
      ),
      symlink: onName("symlink", (kernel, dir, dentry, length: number) => {
        const target = Buffer.from(kernel.core.u8.subarray(PATH_A, PATH_A + length)).toString();
        return this.#make(kernel, dir, dentry, remoteLink(target));
      }),
      unlink: onName("unlink", (kernel, dir, dentry) => this.#remove(kernel, dir, dentry)),
      rmdir: onName("rmdir", (kernel, dir, dentry) => {
        const node = this.#node(new Dentry(kernel, dentry).inode);
        return node.children?.size ? -ENOTEMPTY : this.#remove(kernel, dir, dentry);
      }),
      setattr: (kernel, inode, attr) => {
        const refused =
          libfs.setattrPrepare(kernel, inode, attr) || this.#any(kernel, "setattr", `${attr.valid} ${inode}`);
        if (refused < 0) return refused;
        this.#setattr(this.#node(inode), attr);
        if (attr.valid & ATTR_SIZE) libfs.truncateSetsize(kernel, inode, attr.size);
        libfs.setattrCopy(kernel, inode, attr);
        return 0;
      },
      rename: (kernel, oldDir, oldDentry, newDir, newDentry) => {
        const refused = this.#any(kernel, "rename", nameOf(kernel, oldDentry));
        if (refused < 0) return refused;
        const node = this.#node(new Dentry(kernel, oldDentry).inode);
        const replaced = new Dentry(kernel, newDentry).inode;
        if (replaced) this.#remove(kernel, newDir, newDentry);
        this.#childrenOf(oldDir).delete(nameOf(kernel, oldDentry));
        this.#childrenOf(newDir).set(nameOf(kernel, newDentry), node);
        return 0;
      },
      getattr: (kernel, inode, values) => {
        const refused = this.#any(kernel, "getattr", inode);
        if (refused < 0) return refused;
        const node = this.#node(inode);
        values[8] = node.data?.length ?? node.target?.length ?? 0; // STAT_SIZE: as it is now
        return 0;
      },
      getLink: (kernel, inode) => {
        log.push("getLink");
        const node = this.#node(inode);
        const refused = (hooks.getLink?.(kernel, node) ?? 0) || this.#any(kernel, "getLink", inode);
        return refused < 0 ? refused : Buffer.from(node.target ?? "");
      },
      ...(hooks.permission && {
        permission: (kernel: Kernel, inode: InodeHandle, mask: number) =>
          hooks.permission?.(kernel, this.#node(inode), mask) ?? 0,
      }),
    };
  }

  #type(name: string): FileSystemType {
    const { hooks, log } = this;
    return {
      name,
      fsFlags: 0,
      tables: [
        {
          inode: this.#operations(),
          file: {
            read: (kernel, file, buffer, offset, length, position) => {
              log.push("read");
              const start = position < 0 ? kernel.core.filePos(file) : position;
              const refused = (hooks.read?.(kernel) ?? 0) || this.#any(kernel, `read ${start}`, file);
              if (refused < 0) return refused;
              const data = this.#node(Inode.ofFile(kernel, file).handle).data ?? Buffer.alloc(0);
              const n = data.copy(buffer, offset, start, start + length);
              if (position < 0) kernel.core.setFilePos(file, start + n);
              return n;
            },
            write: (kernel, file, buffer, offset, length, position) => {
              const inode = Inode.ofFile(kernel, file);
              const node = this.#node(inode.handle);
              const start = position < 0 ? kernel.core.filePos(file) : position;
              const refused =
                libfs.fileRemovePrivs(kernel, inode.handle, file) || this.#any(kernel, `write ${start}`, file);
              if (refused < 0) return refused;
              const grown = Buffer.alloc(Math.max(node.data?.length ?? 0, start + length));
              node.data?.copy(grown);
              grown.set(buffer.subarray(offset, offset + length), start);
              node.data = grown;
              inode.size = grown.length;
              if (position < 0) kernel.core.setFilePos(file, start + length);
              return length;
            },
            iterate: (kernel, dir, emit) => {
              const refused = this.#any(kernel, "iterate", dir);
              if (refused < 0) return refused;
              for (const [child, { mode }] of this.#childrenOf(dir)) {
                if (!emit(child, hooks.listedType ?? (mode >> 12) & 15)) break;
              }
              return 0;
            },
            fsync: (kernel, file) => this.#any(kernel, "fsync", file),
          },
          mapping: {},
        },
      ],
      superOps: {
        statfs: libfs.simpleStatfs,
        evictInode: (kernel, inode) => {
          const node = this.#node(inode);
          log.push("evict");
          hooks.evict?.(kernel, node);
          this.nodes.delete(inode);
          if (this.#inodes.get(node) === inode) this.#inodes.delete(node);
        },
      },
      ...(hooks.revalidate && {
        dentryOps: {
          revalidate: (kernel: Kernel, dentry: DentryHandle) => {
            const own = nameOf(kernel, dentry);
            log.push(`revalidate ${own}`);
            return hooks.revalidate?.(kernel, own) ?? 1;
          },
        },
      }),
      fillSuper: (sb) => {
        const rc = sb.makeRoot(0o755, 0, 0, 0);
        if (rc === 0) this.#remember(sb.kernel, new Dentry(sb.kernel, sb.root).inode, this.root);
        return rc;
      },
    };
  }
}

export function nameOf(kernel: Kernel, dentry: DentryHandle): string {
  return Buffer.from(new Dentry(kernel, dentry).name).toString();
}

/** A store that is not ready: answers -EAGAIN with a token until it is opened. */
export class Gate {
  isOpen = false;
  #open: () => void = () => {};
  readonly #token = new Promise<void>((resolve) => {
    this.#open = resolve;
  });

  /** @returns 0, or -EAGAIN after telling the kernel what to wait for */
  pass(kernel: Kernel): number {
    if (this.isOpen) return 0;
    kernel.setWaitToken(this.#token);
    return -EAGAIN;
  }

  open(): void {
    this.isOpen = true;
    this.#open();
  }
}

export const NO_ENTRY = -ENOENT;

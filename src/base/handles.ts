/**
 * Handles of records in linear memory: the record's address >> 5, a small integer. 0 is no record.
 *
 * A handle says nothing about the record's life: who keeps one holds a reference, as each record's module tells
 * (assembly/*.ts, "Who holds what").
 */
declare const kind: unique symbol;

/** Handle of an inode (assembly/fs/inode.ts). */
export type InodeHandle = number & { readonly [kind]: "inode" };
/** Handle of a dentry (assembly/fs/dentry.ts). */
export type DentryHandle = number & { readonly [kind]: "dentry" };
/** Handle of an open file (assembly/fs/file.ts); no descriptor. */
export type FileHandle = number & { readonly [kind]: "file" };
/** Handle of a mount (assembly/fs/mount.ts). */
export type MountHandle = number & { readonly [kind]: "mount" };
/** Handle of a super block (assembly/fs/super.ts). */
export type SuperBlockHandle = number & { readonly [kind]: "super_block" };
/** Handle of a task (assembly/fs/task.ts). */
export type TaskHandle = number & { readonly [kind]: "task" };
/** Handle of credentials (assembly/fs/task.ts). */
export type CredHandle = number & { readonly [kind]: "cred" };

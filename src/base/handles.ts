/**
 * Handles of records in linear memory: the record's address >> 5, a small integer. 0 is no record.
 *
 * A handle says nothing about the record's life: who keeps one holds a reference, as each record's module tells
 * (assembly/*.ts, "Who holds what").
 */
declare const kind: unique symbol;

export type InodeHandle = number & { readonly [kind]: "inode" };
export type DentryHandle = number & { readonly [kind]: "dentry" };
export type FileHandle = number & { readonly [kind]: "file" };
export type MountHandle = number & { readonly [kind]: "mount" };
export type SuperBlockHandle = number & { readonly [kind]: "super_block" };
export type TaskHandle = number & { readonly [kind]: "task" };
export type CredHandle = number & { readonly [kind]: "cred" };

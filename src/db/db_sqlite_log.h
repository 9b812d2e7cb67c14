/* How the writer's log reaches the file: in one piece for each commit. */
#ifndef DB_SQLITE_LOG_H
#define DB_SQLITE_LOG_H

/* The name of a VFS like the default one, except that what is appended to a write-ahead log is gathered until the frame that commits
 * (https://sqlite.org/fileformat2.html, 4.1), and written at once with it.  The engine writes each page in two pieces: a system call for each was
 * a seventh of the writer's time.  A commit is in the file before the engine makes it visible, and an error of the write is the commit's.
 * NULL: no such; the default one will do. */
const char *db_sqlite_log_vfs(void);

#endif

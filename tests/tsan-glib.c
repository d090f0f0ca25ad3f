/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Tells ThreadSanitizer what GLib orders. Preloaded into the programs that run under it; it is part of no
 * program.
 *
 * The distribution's GLib is not instrumented and its locks are futexes of its own, so that the sanitizer
 * sees nobody ever wait for anybody. Here every call by which our code hands data from thread to thread says
 * so, and then does what GLib does. Nothing is said that GLib does not do: each edge goes from the one who
 * hands over to the one who takes, no further. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <glib-object.h>
#include <link.h>
#include <stdlib.h>

#pragma weak __tsan_acquire
#pragma weak __tsan_release
#pragma weak __tsan_read1
#pragma weak __tsan_write1
#pragma weak __tsan_mutex_destroy
#pragma weak __tsan_mutex_pre_lock
#pragma weak __tsan_mutex_post_lock
#pragma weak __tsan_mutex_pre_unlock
#pragma weak __tsan_mutex_post_unlock

void __tsan_acquire (void *addr);
void __tsan_release (void *addr);
void __tsan_read1 (void *addr);
void __tsan_write1 (void *addr);
void __tsan_mutex_destroy (void *addr, unsigned flags);
void __tsan_mutex_pre_lock (void *addr, unsigned flags);
void __tsan_mutex_post_lock (void *addr, unsigned flags, int recursion);
int __tsan_mutex_pre_unlock (void *addr, unsigned flags);
void __tsan_mutex_post_unlock (void *addr, unsigned flags);

#define TRY_LOCK (1u << 4)        /* <sanitizer/tsan_interface.h>: __tsan_mutex_try_lock */
#define TRY_LOCK_FAILED (1u << 5) /* __tsan_mutex_try_lock_failed */

/* A child process, coturn for instance, inherits the preload without the sanitizer. */
static gboolean
watched (void)
{
  return __tsan_acquire != NULL;
}

/* The function of GLib that this file's @name stands before. */
#define REAL(name)                                                                                           \
  ({                                                                                                         \
    static __typeof__ (&name) real;                                                                          \
    __typeof__ (&name) found = __atomic_load_n (&real, __ATOMIC_RELAXED);                                    \
                                                                                                             \
    if (found == NULL)                                                                                       \
      __atomic_store_n (&real, found = (__typeof__ (&name))dlsym (RTLD_NEXT, #name), __ATOMIC_RELAXED);      \
    found;                                                                                                   \
  })

static void
acquire (gpointer address)
{
  if (watched ())
    __tsan_acquire (address);
}

static void
release (gpointer address)
{
  if (watched ())
    __tsan_release (address);
}

/* --- locks --- */

static void
before_lock (GMutex *mutex, unsigned flags)
{
  if (watched ())
    __tsan_mutex_pre_lock (mutex, flags);
}

static void
after_lock (GMutex *mutex, unsigned flags)
{
  if (watched ())
    __tsan_mutex_post_lock (mutex, flags, 0);
}

static void
before_unlock (GMutex *mutex)
{
  if (watched ())
    __tsan_mutex_pre_unlock (mutex, 0);
}

static void
after_unlock (GMutex *mutex)
{
  if (watched ())
    __tsan_mutex_post_unlock (mutex, 0);
}

void
g_mutex_lock (GMutex *mutex)
{
  before_lock (mutex, 0);
  REAL (g_mutex_lock) (mutex);
  after_lock (mutex, 0);
}

gboolean
g_mutex_trylock (GMutex *mutex)
{
  gboolean taken;

  before_lock (mutex, TRY_LOCK);
  taken = REAL (g_mutex_trylock) (mutex);
  after_lock (mutex, taken ? TRY_LOCK : TRY_LOCK | TRY_LOCK_FAILED);
  return taken;
}

void
g_mutex_unlock (GMutex *mutex)
{
  before_unlock (mutex);
  REAL (g_mutex_unlock) (mutex);
  after_unlock (mutex);
}

void
g_mutex_clear (GMutex *mutex)
{
  if (watched ())
    __tsan_mutex_destroy (mutex, 0);
  REAL (g_mutex_clear) (mutex);
}

void
g_cond_wait (GCond *cond, GMutex *mutex)
{
  before_unlock (mutex);
  after_unlock (mutex);
  REAL (g_cond_wait) (cond, mutex);
  before_lock (mutex, 0);
  after_lock (mutex, 0);
}

gboolean
g_cond_wait_until (GCond *cond, GMutex *mutex, gint64 end_time)
{
  gboolean signalled;

  before_unlock (mutex);
  after_unlock (mutex);
  signalled = REAL (g_cond_wait_until) (cond, mutex, end_time);
  before_lock (mutex, 0);
  after_lock (mutex, 0);
  return signalled;
}

/* The reading half is an atomic load in the caller, which the sanitizer sees. */
void (g_once_init_leave) (volatile void *location, gsize result)
{
  release ((gpointer)location);
  REAL (g_once_init_leave) (location, result);
}

/* --- references: who drops one is done before the last one is dropped --- */

void (g_atomic_ref_count_inc) (gatomicrefcount *count) { __atomic_fetch_add (count, 1, __ATOMIC_SEQ_CST); }

gboolean (g_atomic_ref_count_dec) (gatomicrefcount *count)
{
  release (count);
  if (__atomic_sub_fetch (count, 1, __ATOMIC_SEQ_CST) > 0)
    return FALSE;
  acquire (count);
  return TRUE;
}

/* Only the last reference is left to GObject: by then all others have been released here. */
void
g_object_unref (gpointer object)
{
  GObject *self = object;
  guint count;

  if (!G_IS_OBJECT (object))
    {
      REAL (g_object_unref) (object);
      return;
    }
  release (object);
  count = __atomic_load_n (&self->ref_count, __ATOMIC_SEQ_CST);
  while (count > 1)
    if (__atomic_compare_exchange_n (&self->ref_count, &count, count - 1, FALSE, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
      return;
  acquire (object);
  REAL (g_object_unref) (object);
}

/* Called from here and not from inside GLib, a free() is one that the sanitizer compares with other threads'
 * use. */
void (g_free) (gpointer memory) { free (memory); }

/* --- main loops: what came before the attach comes before the dispatch --- */

typedef struct
{
  GSourceFunc func;
  gpointer data;
  GDestroyNotify notify;
} Handed;

static gboolean
handed_call (gpointer data)
{
  Handed *handed = data;

  acquire (handed);
  return handed->func (handed->data);
}

static void
handed_free (gpointer data)
{
  Handed *handed = data;

  acquire (handed);
  if (handed->notify != NULL)
    handed->notify (handed->data);
  free (handed);
}

/* Only these two kinds of sources carry functions from thread to thread, and their callbacks are of one known
 * type. */
static gboolean
is_plain (GSource *source)
{
  return source->source_funcs == &g_idle_funcs || source->source_funcs == &g_timeout_funcs;
}

void
g_source_set_callback (GSource *source, GSourceFunc func, gpointer data, GDestroyNotify notify)
{
  Handed *handed;

  if (!is_plain (source))
    {
      REAL (g_source_set_callback) (source, func, data, notify);
      return;
    }
  handed = malloc (sizeof *handed);
  *handed = (Handed){ func, data, notify };
  release (handed);
  REAL (g_source_set_callback) (source, handed_call, handed, handed_free);
}

/* --- thread pools, GIO's own too: what came before the push comes before the work --- */

typedef struct
{
  GFunc func;
  gpointer data;
} Worker;

static void
worker_call (gpointer data, gpointer user_data)
{
  Worker *worker = user_data;

  acquire (data);
  worker->func (data, worker->data);
}

/* A worker lives as long as the program: a pool may still be at work after it was freed. */
static Worker *
worker_new (GFunc func, gpointer data)
{
  static GSList *workers;
  static GMutex lock;
  Worker *worker = malloc (sizeof *worker);

  *worker = (Worker){ func, data };
  g_mutex_lock (&lock);
  workers = g_slist_prepend (workers, worker);
  g_mutex_unlock (&lock);
  return worker;
}

GThreadPool *
g_thread_pool_new (GFunc func, gpointer user_data, gint max_threads, gboolean exclusive, GError **error)
{
  return REAL (g_thread_pool_new) (worker_call, worker_new (func, user_data), max_threads, exclusive, error);
}

GThreadPool *
g_thread_pool_new_full (GFunc func, gpointer user_data, GDestroyNotify item_free, gint max_threads,
                        gboolean exclusive, GError **error)
{
  return REAL (g_thread_pool_new_full) (worker_call, worker_new (func, user_data), item_free, max_threads,
                                        exclusive, error);
}

gboolean
g_thread_pool_push (GThreadPool *pool, gpointer data, GError **error)
{
  release (data);
  return REAL (g_thread_pool_push) (pool, data, error);
}

/* --- containers: GLib does the work out of sight, so our calls themselves count as a look or a change --- */

static ElfW (Addr) program_start, program_end;

/* The first object is the program; the tests carry our code in themselves. */
static int
find_program (struct dl_phdr_info *info, size_t size, void *unused)
{
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD)
      program_end
          = MAX (program_end, info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz);
  program_start = info->dlpi_addr;
  return 1;
}

__attribute__ ((constructor)) static void
on_load (void)
{
  dl_iterate_phdr (find_program, NULL);
}

/* Other libraries guard theirs with locks that are not told of here. */
#define CALLED_BY_US                                                                                         \
  (watched () && (ElfW (Addr))__builtin_return_address (0) >= program_start                                  \
   && (ElfW (Addr))__builtin_return_address (0) < program_end)
#define LOOKED_AT(container)                                                                                 \
  if (CALLED_BY_US)                                                                                          \
  __tsan_read1 (container)
#define CHANGED(container)                                                                                   \
  if (CALLED_BY_US)                                                                                          \
  __tsan_write1 (container)

void
g_queue_push_tail (GQueue *queue, gpointer data)
{
  CHANGED (queue);
  REAL (g_queue_push_tail) (queue, data);
}

void
g_queue_push_head (GQueue *queue, gpointer data)
{
  CHANGED (queue);
  REAL (g_queue_push_head) (queue, data);
}

gpointer
g_queue_pop_head (GQueue *queue)
{
  CHANGED (queue);
  return REAL (g_queue_pop_head) (queue);
}

gboolean
g_queue_remove (GQueue *queue, gconstpointer data)
{
  CHANGED (queue);
  return REAL (g_queue_remove) (queue, data);
}

gboolean
g_hash_table_add (GHashTable *table, gpointer key)
{
  CHANGED (table);
  return REAL (g_hash_table_add) (table, key);
}

gboolean
g_hash_table_insert (GHashTable *table, gpointer key, gpointer value)
{
  CHANGED (table);
  return REAL (g_hash_table_insert) (table, key, value);
}

gboolean
g_hash_table_remove (GHashTable *table, gconstpointer key)
{
  CHANGED (table);
  return REAL (g_hash_table_remove) (table, key);
}

gpointer
g_hash_table_lookup (GHashTable *table, gconstpointer key)
{
  LOOKED_AT (table);
  return REAL (g_hash_table_lookup) (table, key);
}

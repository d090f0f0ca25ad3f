# SPDX-License-Identifier: LGPL-2.1-or-later
# ICS_BINDINGS: the description of the interface for other languages (GObject Introspection), and from that the one for Vala.
# --enable-introspection and --enable-vala: yes, no, or auto, which is yes where the tools are. Where their macros are missing
# (a bare autoreconf), configure still comes about, and they are off.
AC_DEFUN([ICS_BINDINGS], [
  # The scanner runs a program of its own with the library in it, which would need the sanitizers too.
  AS_IF([test "x$with_sanitizers" != xno && test "x$enable_introspection" != xyes], [enable_introspection=no])
  m4_ifdef([GOBJECT_INTROSPECTION_CHECK], [GOBJECT_INTROSPECTION_CHECK([1.66])],
           [AM_CONDITIONAL([HAVE_INTROSPECTION], [false])])
  AS_IF([test "x$found_introspection" != xyes], [enable_vala=no])
  m4_ifdef([VAPIGEN_CHECK], [VAPIGEN_CHECK([0.52])], [AM_CONDITIONAL([ENABLE_VAPIGEN], [false])])
])

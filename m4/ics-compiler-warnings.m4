# SPDX-License-Identifier: LGPL-2.1-or-later
# ICS_COMPILER_WARNINGS: the warnings the tree compiles cleanly with; --enable-werror makes them errors.
AC_DEFUN([ICS_COMPILER_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [turn compiler warnings into errors])],
                [], [enable_werror=no])
  # A variable that lives for what happens at its end (g_autoptr) is unused to clang, not to GCC.
  AC_CACHE_CHECK([whether the compiler is clang], [ics_cv_clang],
                 [AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
#ifndef __clang__
#error
#endif
                 ]])], [ics_cv_clang=yes], [ics_cv_clang=no])])
  ICS_CFLAGS="-std=gnu11 -fvisibility=hidden -fstack-protector-strong -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough -Wswitch-enum -Wconversion -Wno-sign-conversion -Wno-unused-parameter -Wno-missing-field-initializers"
  AS_IF([test "x$ics_cv_clang" = xyes], [ICS_CFLAGS="$ICS_CFLAGS -Wno-unused-variable"])
  AS_IF([test "x$enable_werror" = xyes], [ICS_CFLAGS="$ICS_CFLAGS -Werror"])
  AC_SUBST([ICS_CFLAGS])
])

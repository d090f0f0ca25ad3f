# SPDX-License-Identifier: LGPL-2.1-or-later
# ICS_COMPILER_WARNINGS: the warnings the tree compiles cleanly with; --enable-werror makes them errors.
AC_DEFUN([ICS_COMPILER_WARNINGS], [
  AC_ARG_ENABLE([werror], [AS_HELP_STRING([--enable-werror], [turn compiler warnings into errors])],
                [], [enable_werror=no])
  ICS_CFLAGS="-std=gnu11 -fvisibility=hidden -fstack-protector-strong -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wundef -Wformat=2 -Wvla -Wimplicit-fallthrough -Wswitch-enum -Wno-unused-parameter -Wno-missing-field-initializers"
  AS_IF([test "x$enable_werror" = xyes], [ICS_CFLAGS="$ICS_CFLAGS -Werror"])
  AC_SUBST([ICS_CFLAGS])
])
